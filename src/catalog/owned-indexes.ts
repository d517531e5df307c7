import type { Row, Session } from '../database/session.js';
import { relativeTo } from '../sql/relative.js';
import { type OwnershipFilter, TENANT_RELATIONS_SQL } from './owned.js';
import { shared } from './shared-snapshot.js';

/**
 * An index that is read apart from the shapes: one that a phase owns, or one that stands under a family member's name.
 * Indexes that agree in all but their tenants are one entry.
 */
export interface OwnedIndexGroup {
  readonly table: string;
  readonly name: string;
  /** Names everything that the definition says but the predicate; agrees exactly where the definitions do. */
  readonly definition: string;
  /** The predicate as the server writes it, relative to the tenant; null for none. */
  readonly where: string | null;
  /** The phase that owns it; null for one that only stands under a family member's name. */
  readonly phase: string | null;
  /** One index of the group, for reading the definition in detail. */
  readonly representative: string;
  readonly schemas: readonly string[];
}

interface OwnedRow extends Row {
  readonly tab: string;
  readonly name: string;
  readonly def: string;
  readonly pred: string | null;
  /** The tenant, where its schema's name may stand in the predicate. */
  readonly own: string | null;
  readonly rep: string;
  readonly phase: string | null;
  readonly schemas: readonly string[];
}

/** Reads every owned index and family member of the tenants in one statement a session, from catalogs alone. */
export async function readOwnedIndexes(
  sessions: readonly Session[],
  namespaces: readonly string[],
  relations: readonly string[],
  filter: OwnershipFilter,
): Promise<readonly OwnedIndexGroup[]> {
  if (filter.ownership.length === 0 && filter.families.length === 0) return [];
  const rows = await shared(sessions, namespaces, (session, part) =>
    session.query<OwnedRow>(ownedSql(session.serverVersion), [part, relations, JSON.stringify(filter)]),
  );
  return rows.map((row) => ({
    table: row.tab,
    name: row.name,
    definition: row.def,
    // Cut into tokens, not replaced as text: in tenant acme, a value acme.com is no reference to the schema.
    where: row.pred === null || row.own === null ? row.pred : relativeTo(row.own, row.pred),
    phase: row.phase,
    representative: row.rep,
    schemas: row.schemas,
  }));
}

function ownedSql(version: number): string {
  const nullsNotDistinct = version < 150000 ? 'false' : 'i.indnullsnotdistinct';
  return `with ${TENANT_RELATIONS_SQL},
idx as (
  select r.relname tab, ic.relname nm, n.nspname ns, i.indexrelid, own.phase,
         case when i.indpred is not null then pg_catalog.pg_get_expr(i.indpred, i.indrelid) end pred, r.px, r.pq,
         pg_catalog.hashtextextended(concat_ws('|', ic.relam, i.indnkeyatts, i.indclass, i.indoption, i.indcollation, i.indisunique,
           i.indisvalid, i.indisready, i.indislive, ${nullsNotDistinct}, coalesce(ic.reloptions::text, '-'),
           (select pg_catalog.string_agg(a.attname, '|' order by m.n)
              from pg_catalog.unnest(i.indkey::int2[]) with ordinality m(attnum, n)
              join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = m.attnum),
           (select pg_catalog.string_agg(concat_ws('|', a.attnum, a.attoptions), ',' order by a.attnum)
              from pg_catalog.pg_attribute a where a.attrelid = i.indexrelid and a.attoptions is not null),
           case when i.indexprs is not null
                then pg_catalog.replace(pg_catalog.replace(pg_catalog.pg_get_expr(i.indexprs, i.indrelid), r.px, E'\\x01'), r.pq, E'\\x01') end,
           exists (select from pg_catalog.pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p','u','x'))), 0)::text def
    from own join pg_catalog.pg_index i on i.indexrelid = own.indexrelid
    join rel r on r.oid = i.indrelid join pg_catalog.pg_namespace n on n.oid = r.ns
    join pg_catalog.pg_class ic on ic.oid = i.indexrelid)
select tab::text tab, nm::text "name", def, pred, own::text own, phase, min(indexrelid::text::int8)::text rep, pg_catalog.array_agg(ns::text) schemas
  from (select idx.*, case when pg_catalog.strpos(pred, px) > 0 or pg_catalog.strpos(pred, pq) > 0 then ns end own from idx) i
 group by 1, 2, 3, 4, 5, 6`;
}
