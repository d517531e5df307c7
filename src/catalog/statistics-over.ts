import { groupBy } from '../collections.js';
import type { Row, Session } from '../database/session.js';
import { namedSchemas, relationOf } from './named-schemas.js';

/**
 * The extended statistics that go with one column of one table in each schema, in words: `statistics x`, with the schema where that is
 * another than the table's. No part of a shape.
 */
export async function readStatisticsOver(
  session: Session,
  schemas: readonly string[],
  table: string,
  column: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await session.query<Row & { schema: string; what: string }>(STATISTICS, [schemas, table, column]);
  const found = groupBy(rows, ({ schema }) => schema);
  return new Map([...found].map(([schema, of]) => [schema, of.map(({ what }) => what)]));
}

const STATISTICS = `
with ${namedSchemas('$1')}
select distinct ns.nspname::text "schema",
       'statistics ' || case when s.stxnamespace = ns.oid then '' else s.stxnamespace::pg_catalog.regnamespace || '.' end
         || s.stxname what
  from ns ${relationOf("c.relname = $2::name and c.relkind = 'r'")}
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = $3::name and a.attnum > 0
  join pg_catalog.pg_depend p on p.refclassid = 'pg_catalog.pg_class'::regclass and p.refobjid = c.oid
       and p.refobjsubid = a.attnum and p.classid = 'pg_catalog.pg_statistic_ext'::regclass
  join pg_catalog.pg_statistic_ext s on s.oid = p.objid
 order by 1, 2`;
