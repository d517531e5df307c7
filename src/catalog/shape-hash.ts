import { randomBytes } from 'node:crypto';
import { groupBy } from '../collections.js';
import type { Row, Session } from '../database/session.js';
import { type OwnershipFilter, TENANT_RELATIONS_SQL } from './owned.js';
import { OWN_TYPE, roughHashSql } from './rough-hash.js';
import { shared } from './shared-snapshot.js';
import { digest, tableHash } from './table-hash.js';

/** Tenants whose declared tables hash alike, with the tables of one of them. */
export interface HashedShape {
  readonly hash: string;
  readonly schemas: readonly string[];
  /** Table name → its hash, and the oid of the representative's table. */
  readonly tables: readonly { readonly name: string; readonly hash: string; readonly oid: string }[];
}

interface HashRow extends Row {
  readonly h: string;
  readonly schemas: string[];
  readonly tables: readonly { name: string; hash: string; oid: string }[] | null;
}

/**
 * Hashes every tenant's declared tables in one statement a session and groups the tenants on the server, so that what crosses the
 * wire is one row a distinct shape. It reads catalogs only and locks no tenant's table.
 * @param worthRough so many tenants are hashed roughly first, and exactly only where that tells them apart
 */
export async function hashShapes(
  sessions: readonly Session[],
  namespaces: readonly string[],
  relations: readonly string[],
  filter: OwnershipFilter,
  worthRough = WORTH_ROUGH,
): Promise<readonly HashedShape[]> {
  const isRough = (part: readonly string[]) => part.length >= worthRough;
  const rows = await shared(sessions, namespaces, (session, part) =>
    session.query<HashRow>(shapeHashSql(session.serverVersion, isRough(part)), [
      part,
      relations,
      JSON.stringify(filter),
      ...(isRough(part) ? [randomSeed()] : []),
    ]),
  );
  return [...groupBy(rows, (row) => row.h)]
    .map(([hash, parts]) => ({
      hash,
      schemas: parts.flatMap((row) => row.schemas).sort(),
      tables: parts[0]?.tables ?? [],
    }))
    .sort((left, right) => right.schemas.length - left.schemas.length || (left.hash < right.hash ? -1 : 1));
}

/** Of PostgreSQL's bigint. */
const randomSeed = (): string => randomBytes(8).readBigInt64BE().toString();

/** Fewer tenants are sooner hashed exactly. */
const WORTH_ROUGH = 32;

function shapeHashSql(version: number, isRough: boolean): string {
  return `
with ${TENANT_RELATIONS_SQL},
${isRough ? `${roughHashSql(version)},` : ''}
one as materialized (${
    isRough
      ? 'select r.relname, h raw, min(r.oid) rel from rough join rel r on r.oid = rough.rel group by 1, 2'
      : 'select oid rel from rel'
  }),
loc as materialized (
  select t.oid, t.typnamespace ns, t.typname nm from pg_catalog.pg_type t where ${
    isRough
      ? 't.oid in (select oid from rtyp)'
      : `t.oid in (select a.atttypid from rel join pg_catalog.pg_attribute a on a.attrelid = rel.oid) and ${OWN_TYPE}`
  }
  union all select k.oid, k.collnamespace, k.collname from pg_catalog.pg_collation k join ns on ns.oid = k.collnamespace),
exact as materialized (select r.ns, r.oid rel, r.relname, ${tableHash(version)} h from one join rel r on r.oid = one.rel),
tab as materialized (${
    isRough
      ? `select r.ns, r.oid rel, r.relname, exact.h from rough join rel r on r.oid = rough.rel
    join one on one.relname = r.relname and one.raw = rough.h join exact on exact.rel = one.rel`
      : 'select ns, rel, relname, h from exact'
  }),
ten as materialized (
  select ns.oid ns, coalesce(pg_catalog.string_agg((tab.relname, tab.h)::text, '' order by tab.relname), '') h
    from ns left join tab on tab.ns = ns.oid group by 1),
grp as (select pg_catalog.encode(${digest('ten.h')}, 'hex') h, min(ten.ns) rep, pg_catalog.array_agg(n.nspname::text order by n.nspname) schemas
          from ten join ns n on n.oid = ten.ns group by 1)
select grp.h, grp.schemas,
       (select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', tab.relname, 'hash', pg_catalog.encode(tab.h, 'hex'), 'oid', tab.rel::text))
          from tab where tab.ns = grp.rep) tables
  from grp order by pg_catalog.cardinality(grp.schemas) desc, grp.h`;
}
