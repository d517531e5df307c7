import { groupBy } from '../collections.js';
import type { ExtensionDocument, TableDocument, TablesDocument, ViewDocument } from '../desired-state/documents.js';
import type { DesiredExtension } from '../desired-state/model.js';
import type { FoundFamily } from './family.js';
import { itemKey } from './items.js';
import type { LeftOut } from './left-out.js';
import type { Sketch, Sketched } from './sketch.js';

/**
 * base.yaml of what the sketch holds and `out` does not: pure, so that it can be made anew with more left out.
 * @param families those that stand for their members; their indexes are not listed
 */
export function tablesDocument(
  sketch: Sketch,
  out: LeftOut,
  families: readonly FoundFamily[],
  extensions: readonly DesiredExtension[],
  populated: (view: string) => boolean,
): TablesDocument {
  const kept = sketch.items.filter((item) => !out.has(itemKey(item)));
  const byTable = groupBy(kept, (item) => item.table);
  const tables: [string, TableDocument][] = [];
  const views: [string, ViewDocument][] = [];
  for (const item of kept) {
    if (item.kind !== 'table') continue;
    const of = byTable.get(item.table) ?? [];
    const own = families.filter((family) => family.table === item.table);
    if (item.view === null) tables.push([item.name, tableDocument(item.unlogged, of, own)]);
    else {
      const withData = populated(item.name) ? {} : { with_data: false };
      views.push([item.name, { query: item.view, ...withData, ...indexesOf(of, own) }]);
    }
  }
  return {
    ...(extensions.length === 0 ? {} : { extensions: extensions.map(extensionDocument) }),
    ...(tables.length === 0 ? {} : { tables: Object.fromEntries(tables) }),
    ...(views.length === 0 ? {} : { materialized_views: Object.fromEntries(views) }),
  };
}

/** Tables and views that a composed file declares. */
export const declares = (document: TablesDocument, table: string): boolean =>
  Object.hasOwn(document.tables ?? {}, table) || Object.hasOwn(document.materialized_views ?? {}, table);

function tableDocument(unlogged: boolean, items: readonly Sketched[], families: readonly FoundFamily[]): TableDocument {
  const columns = items.flatMap((item) => {
    if (item.kind !== 'column') return [];
    const short = Object.keys(item.document).length === 1;
    return [[item.name, short ? item.document.type : item.document] as const];
  });
  const made = items.flatMap((item) => (item.kind === 'constraint' ? [item.made] : []));
  const primary = made.find((one) => one.as === 'primary_key')?.document;
  const unique = made.flatMap((one) => (one.as === 'unique' ? [one.document] : []));
  const checks = made.flatMap((one) => (one.as === 'checks' ? [one.document] : []));
  const foreign = made.flatMap((one) => (one.as === 'foreign_keys' ? [one.document] : []));
  return {
    ...(unlogged ? { unlogged } : {}),
    columns: Object.fromEntries(columns),
    ...(primary === undefined ? {} : { primary_key: primary }),
    ...(unique.length === 0 ? {} : { unique }),
    ...(checks.length === 0 ? {} : { checks }),
    ...(foreign.length === 0 ? {} : { foreign_keys: foreign }),
    ...indexesOf(items, families),
    ...(families.length === 0 ? {} : { index_families: families.map((family) => family.document) }),
  };
}

function indexesOf(items: readonly Sketched[], families: readonly FoundFamily[]): Pick<TableDocument, 'indexes'> {
  const members = new Set(families.flatMap((family) => family.members));
  const indexes = items.flatMap((item) => (item.kind === 'index' && !members.has(item.name) ? [item.document] : []));
  return indexes.length === 0 ? {} : { indexes };
}

const extensionDocument = ({ name, schema, schemas }: DesiredExtension): ExtensionDocument => ({
  name,
  ...(schema === null ? {} : { schema }),
  ...(schemas.length === 0 ? {} : { schemas }),
});
