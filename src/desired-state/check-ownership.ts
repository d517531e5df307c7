import { closest, shown, suggestion } from '../did-you-mean.js';
import { indexesIn } from './backends.js';
import type { TablesDocument } from './documents.js';
import type { DesiredStateFiles } from './files.js';
import type { Problems } from './problems.js';
import { methodOf } from './read-indexes.js';

/**
 * Notes columns and methods of `owns` that are slips of the pen: such a rule owns nothing, and what it should own would stay
 * without a word. Columns must be declared by some file, of whichever phase and backend. A method may be that of a backend
 * which has no file any more, so only one that a file makes indexes by tells what another was meant to be.
 * @param files all of them: a column of one that was refused would be missing
 */
export function checkOwnership(files: DesiredStateFiles, problems: Problems): void {
  const columns = declaredColumns(files);
  for (const [index, { name, owns }] of files.fleet.phases.entries()) {
    if (owns === undefined) continue;
    const at = (...path: readonly (string | number)[]) => files.fleetFile.position(['phases', index, 'owns', ...path]);
    for (const key of ['columns', 'ignoring'] as const) {
      for (const [place, column] of (owns[key] ?? []).entries()) {
        if (columns.has(column)) continue;
        const message = `phase ${name} ${key === 'columns' ? 'owns indexes on' : 'ignores'} the column ${shown(column)}, which no declared table has`;
        problems.invalid(message, at(key, place), nearest(column, columns));
      }
    }
    const made = methodsOf(documentsOf(files, name));
    const unlisted = [...made].filter((method) => !owns.methods.includes(method));
    for (const [place, method] of owns.methods.entries()) {
      const meant = made.has(method) ? null : closest(method, unlisted);
      if (meant === null) continue;
      const message = `phase ${name} owns indexes of the method ${shown(method)}, by which no file of it makes one`;
      problems.invalid(message, at('methods', place), `did you mean ${shown(meant)}?`);
    }
  }
}

/** Of hundreds of columns a list helps nobody. */
function nearest(column: string, known: ReadonlySet<string>): string {
  const advice = suggestion(column, known);
  return advice.startsWith('did') ? advice : 'correct it, or leave it out';
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
