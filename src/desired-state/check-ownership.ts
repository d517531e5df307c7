import { closest, shown } from '../did-you-mean.js';
import { indexesIn } from './backends.js';
import type { TablesDocument } from './documents.js';
import type { DesiredStateFiles } from './files.js';
import type { Problems } from './problems.js';
import { methodOf } from './read-indexes.js';

/**
 * Notes columns and methods of `owns` that are slips of the pen: such a rule owns nothing, and what it should own would stay
 * without a word. Either may be that of an older version, of which no file speaks any more, so only one that the files name,
 * and the rule does not, tells what another was meant to be.
 * @param files all of them: a column of one that was refused would be missing
 */
export function checkOwnership(files: DesiredStateFiles, problems: Problems): void {
  const columns = declaredColumns(files);
  for (const [index, { name, owns }] of files.fleet.phases.entries()) {
    if (owns === undefined) continue;
    const methods = methodsOf(documentsOf(files, name));
    const rules = [
      ['columns', columns, 'owns indexes on the column', 'which no declared table has'],
      ['ignoring', columns, 'ignores the column', 'which no declared table has'],
      ['methods', methods, 'owns indexes of the method', 'by which no file of it makes one'],
    ] as const;
    for (const [key, known, verb, lack] of rules) {
      const listed = owns[key] ?? [];
      const unlisted = [...known].filter((one) => !listed.includes(one));
      for (const [place, word] of listed.entries()) {
        const meant = known.has(word) ? null : closest(word, unlisted);
        if (meant === null) continue;
        const where = files.fleetFile.position(['phases', index, 'owns', key, place]);
        problems.invalid(`phase ${name} ${verb} ${shown(word)}, ${lack}`, where, `did you mean ${shown(meant)}?`);
      }
    }
  }
}

/** A view's columns follow from its query, of which the words must do. */
function declaredColumns(files: DesiredStateFiles): ReadonlySet<string> {
  return new Set(
    files.fleet.phases.flatMap(({ name }) =>
      documentsOf(files, name).flatMap(({ tables = {}, materialized_views = {} }) => [
        ...Object.values(tables).flatMap((table) => Object.keys(table.columns ?? {})),
        ...Object.values(materialized_views).flatMap(({ query = '' }) => query.match(/[\p{L}\p{N}_$]+/gu) ?? []),
      ]),
    ),
  );
}

const documentsOf = ({ fixed, backends }: DesiredStateFiles, phase: string): readonly TablesDocument[] =>
  [fixed.get(phase), ...(backends.get(phase)?.values() ?? [])].flatMap((file) => file?.document ?? []);

const methodsOf = (documents: readonly TablesDocument[]): ReadonlySet<string> =>
  new Set(documents.flatMap(indexesIn).map((index) => methodOf(index.method).name));
