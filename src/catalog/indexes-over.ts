import type { Row, Session } from '../database/session.js';
import type { IndexesOver } from './fact-types.js';
import { namedSchemas, relationOf } from './named-schemas.js';

/**
 * What the indexes on one column of one table are in each schema, members of families among them, which are no part of a shape.
 * Schemas that have none there are left out.
 */
export async function readIndexesOver(
  session: Session,
  schemas: readonly string[],
  table: string,
  column: string,
): Promise<ReadonlyMap<string, IndexesOver>> {
  const rows = await session.query<Row & IndexesOver & { schema: string }>(OVER_SQL, [schemas, table, column]);
  return new Map(rows.map(({ schema, computed, identity }) => [schema, { computed, identity }]));
}

const OVER_SQL = `
with ${namedSchemas('$1')}
select ns.nspname::text "schema",
       pg_catalog.bool_or(i.indexprs is not null or i.indpred is not null) computed,
       pg_catalog.bool_or(i.indisreplident and i.indisvalid) identity
  from ns ${relationOf('c.relname = $2::name')}
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = $3::name and a.attnum > 0
  join pg_catalog.pg_depend p on p.refclassid = 'pg_catalog.pg_class'::regclass and p.refobjid = c.oid
       and p.refobjsubid = a.attnum and p.classid = 'pg_catalog.pg_class'::regclass
  join pg_catalog.pg_index i on i.indexrelid = p.objid
 group by 1`;
