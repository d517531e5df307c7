import { groupBy } from '../collections.js';
import type { TablesDocument } from '../desired-state/documents.js';
import type { FoundFamily } from './family.js';
import type { Note } from './items.js';
import type { Comment } from './yaml-text.js';

/** What base.yaml says of itself at its head. */
export function baseHead(schema: string, notes: readonly Note[]): readonly string[] {
  const others = notes.filter((note) => note.table === null);
  return [
    '',
    `The tables of schema "${schema}", as it was: written by trueup inspect, and in sync with it.`,
    '',
    'Grants, comments, statistics, storage settings of tables and the order of columns are not compared.',
    ...(others.length === 0
      ? []
      : ['', 'Left out, and so left alone in every tenant:', ...others.map(({ what, why }) => `- ${what}: ${why}`)]),
  ];
}

/** Remarks at the tables that they are about. */
export function baseComments(
  document: TablesDocument,
  notes: readonly Note[],
  families: readonly FoundFamily[],
): readonly Comment[] {
  const byTable = groupBy(
    notes.filter((note) => note.table !== null),
    (note) => note.table ?? '',
  );
  const ofTables = [...byTable].flatMap(([table, of]): readonly Comment[] => {
    const group = Object.hasOwn(document.tables ?? {}, table) ? 'tables' : 'materialized_views';
    return [{ path: [group, table], text: of.map(({ what, why }) => `${what}: ${why}`).join('\n') }];
  });
  const ofFamilies = [...groupBy(families, (family) => family.table)].flatMap(([table, of]) =>
    of.map((family, at): Comment => ({ path: ['tables', table, 'index_families', at], text: familyComment(family) })),
  );
  return [...ofTables, ...ofFamilies];
}

function familyComment(family: FoundFamily): string {
  const listed =
    family.listed.length === 0
      ? ''
      : '\nThe listed values are constants of the indexes’ predicates; those of the rows are not written here.';
  return `One index a row of ${family.source}: from its rows come exactly the ${family.members.length} indexes that this tenant has.${listed}`;
}
