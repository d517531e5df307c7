import { randomBytes } from 'node:crypto';
import { groupBy } from '../collections.js';
import type { FleetRow, HashedTable } from './fleet-row.js';
import { OWN_TYPE, roughHashSql } from './rough-hash.js';
import { seededHash, textHash } from './seeded-hash.js';
import { standingApart } from './standing-apart.js';
import { digest, type Hashing, readsPlainIndexes, tableHash } from './table-hash.js';

/** Tenants whose declared tables hash alike, with the tables of one of them. */
export interface HashedShape {
  readonly hash: string;
  readonly schemas: readonly string[];
  /** Of these, the one whose tables are given. */
  readonly representative: string;
  /** Those of the representative: one table's name and hash, and its oid. */
  readonly tables: readonly HashedTable[];
}

/** The tenants of a statement's rows of kind `shape`, grouped; two sessions may each have found a part of the same group. */
export function asShapes(rows: readonly FleetRow[]): readonly HashedShape[] {
  return [...groupBy(rows, (row) => row.name)]
    .map(([hash, parts]) => ({
      hash,
      schemas: parts.flatMap((row) => row.schemas).sort(),
      representative: parts[0]?.rep ?? '',
      tables: parts[0]?.tables ?? [],
    }))
    .sort((left, right) => right.schemas.length - left.schemas.length || (left.hash < right.hash ? -1 : 1));
}

/** Of PostgreSQL's bigint. */
export const randomSeed = (): string => randomBytes(8).readBigInt64BE().toString();

/** Fewer tenants are sooner hashed exactly. */
export const WORTH_ROUGH = 32;

/**
 * Common table expressions that hash every tenant's declared tables and group the tenants on the server, so that what
 * crosses the wire is one row a distinct shape ({@link SHAPE_ROWS}). Tenants whose tables have the same rough hashes share
 * one `sig`: only the `lead` of each is looked at further. They read catalogs only and lock no tenant's table.
 */
export function shapesSql(version: number, how: Hashing): string {
  const { isRough, isCut } = how;
  return `
${isRough ? `${roughHashSql(version, isCut)},` : ''}
sig as materialized (${
    isRough
      ? `select ns.oid ns, coalesce(t.s, 0) s from ns left join (
    select r.ns, pg_catalog.bit_xor(${seededHash('r.relname', textHash('rough.h::text'))}) s from rough join rel r on r.oid = rough.rel group by 1) t on t.ns = ns.oid`
      : 'select oid ns, oid::int8 s from ns'
  }),
lead as materialized (select s, min(ns) ns from sig group by 1),
${isRough ? LED : ''}
one as materialized (${
    isRough ? 'select relname, raw, min(rel) rel from led group by 1, 2' : 'select oid rel from rel'
  }),
loc as materialized (
  select t.oid, t.typnamespace ns, t.typname nm from pg_catalog.pg_type t
   where t.oid = any(array(
     select a.atttypid from one cross join lateral (select a.atttypid from pg_catalog.pg_attribute a where a.attrelid = one.rel offset 0) a)) and ${OWN_TYPE}
  union all select k.oid, k.collnamespace, k.collname from pg_catalog.pg_collation k join ns on ns.oid = k.collnamespace),
${readsPlainIndexes(how) ? SHOWN : ''}
exact as materialized (select r.ns, r.oid rel, r.relname, ${tableHash(version, how)} h from one join rel r on r.oid = one.rel),
tab as materialized (${
    isRough
      ? 'select t.ns, t.rel, t.relname, exact.h from led t join one on one.relname = t.relname and one.raw = t.raw join exact on exact.rel = one.rel'
      : 'select ns, rel, relname, h from exact'
  }),
ten as materialized (
  select lead.s, lead.ns, coalesce(pg_catalog.string_agg((tab.relname, tab.h)::text, '' order by tab.relname), '') h
    from lead left join tab on tab.ns = lead.ns group by 1, 2),
grp as (select pg_catalog.encode(${digest('ten.h')}, 'hex') h, min(ten.ns) rep, pg_catalog.array_agg(n.nspname::text order by n.nspname) schemas
          from ten join sig on sig.s = ten.s join ns n on n.oid = sig.ns group by 1),
apart as materialized (
  select own.rel, pg_catalog.jsonb_agg(own.indexrelid::text) indexes from (${standingApart(isRough, OF_GIVEN)}) own group by 1),
given as materialized (
  select tab.ns, pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
           'name', tab.relname, 'hash', pg_catalog.encode(tab.h, 'hex'), 'oid', tab.rel::text, 'apart', apart.indexes) order by tab.relname) tables
    from tab left join apart on apart.rel = tab.rel where tab.ns in (select rep from grp) group by 1)`;
}

/**
 * The tables of the leads, found among all before they are joined: the planner expects few rough hashes, and would begin
 * with those.
 */
const LED = `led as materialized (
  select r.ns, r.oid rel, r.relname, rough.h raw from (select r.ns, r.oid, r.relname from rel r where r.ns in (select ns from lead) offset 0) r
    join rough on rough.rel = r.oid),`;

/** Indexes of the tables that are given, but digested members: few, found before they are asked about. */
const OF_GIVEN = `(
  select c.* from ix c where c.may and c.rel in (select tab.rel from tab join grp on grp.rep = tab.ns)
     and pg_catalog.cardinality(pg_catalog.array_remove(c.fams, null)) <> 1 offset 0)`;

/**
 * The indexes of the tables that are hashed, where all of them were read: to look for one among those of the whole fleet took half
 * the pass.
 */
const SHOWN = 'shown as materialized (select plain.indexrelid from one join plain on plain.rel = one.rel),';

/** One row a distinct shape, in the columns of {@link FleetRow}. */
export const SHAPE_ROWS = `
select 'shape' what, null::text tab, grp.h "name", null::text def, null::text pred, null::text own, null::text phase,
       (select n.nspname::text from ns n where n.oid = grp.rep) rep, grp.schemas,
       null::text[] digests, null::int4 fam, null::text[] kinds, given.tables
  from grp left join given on given.ns = grp.rep`;
