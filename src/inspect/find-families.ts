import type { Session } from '../database/session.js';
import type { IndexDocument } from '../desired-state/documents.js';
import { type FoundFamily, familyOf, likenesses } from './family.js';
import { readSources } from './family-sources.js';
import { itemKey } from './items.js';
import type { Alike } from './notes.js';
import type { TenantFacts } from './read-tenant.js';
import type { Sketch } from './sketch.js';

/** What alike indexes of a tenant turned out to be. */
export interface Found {
  readonly families: readonly FoundFamily[];
  /** Indexes that are alike and come from no rows that were found, by table. */
  readonly plain: readonly Alike[];
}

/** Looks at all partial indexes that are alike, and at the rows of small tables that may have made them. */
export async function findFamilies(session: Session, tenant: TenantFacts, sketch: Sketch): Promise<Found> {
  const groups = tenant.tables.flatMap((table) =>
    table.kind === 'table' ? likenesses(table).map((group) => ({ table, group })) : [],
  );
  if (groups.length === 0) return { families: [], plain: [] };
  const most = Math.max(...groups.map(({ group }) => group.length));
  const sources = await readSources(session, tenant.schema, tenant.tables, most);
  const documents = new Map<string, IndexDocument>(
    sketch.items.flatMap((item) => (item.kind === 'index' ? [[itemKey(item), item.document]] : [])),
  );
  const families: FoundFamily[] = [];
  const plain: Alike[] = [];
  for (const { table, group } of groups) {
    const documentOf = (name: string) => documents.get(itemKey({ kind: 'index', table: table.name, name }));
    const family = familyOf(table, group, sources, documentOf);
    if (family !== null) families.push(family);
    else {
      const isOne = new Set(group.map(({ texts }) => JSON.stringify(texts))).size === 1;
      plain.push({ table: table.name, indexes: group.map((one) => one.index.name), isOne });
    }
  }
  return { families, plain };
}
