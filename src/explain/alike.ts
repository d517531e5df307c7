import { judgeExpressions } from '../catalog/judge.js';
import type { Row, Session } from '../database/session.js';
import type { IndexFamily } from '../desired-state/model.js';
import { canonicalExpression } from '../sql/canonical.js';
import { quoteIdentifier } from '../sql/quote.js';
import type { ExplainContext, TenantProbe } from './context.js';
import type { DetailedIndex } from './indexes.js';
import type { PreparedProbe } from './prepare.js';

/** Whether method and predicate are those of the index that should serve. Keys and options are plan's to compare. */
export async function isAlike(
  context: ExplainContext,
  { served }: TenantProbe,
  { relation, partition }: PreparedProbe,
  index: DetailedIndex,
): Promise<boolean> {
  if (index.method !== served.method.name || index.extension !== served.method.extension) return false;
  const desired =
    partition.member === null ? (served as Exclude<typeof served, IndexFamily>).where : partition.member.where;
  if (desired === null || index.predicate === null) return desired === index.predicate;
  const { session, names } = context;
  const trees = await Promise.all([desired, index.predicate].map((text) => canonicalExpression(text, names)));
  if (trees[0] === trees[1]) return true;
  const columns = await readColumns(session, relation.oid);
  const pair = { castTo: null, desired, actual: index.predicate };
  const [[verdict] = []] = await judgeExpressions(session, [{ columns, pairs: [pair] }], names);
  return verdict === true;
}

const readColumns = async (session: Session, table: string) => {
  const rows = await session.query<
    Row & { name: string; type: string; collation: string | null; schema: string | null }
  >(
    `select a.attname::text "name", pg_catalog.format_type(a.atttypid, a.atttypmod) "type", n.nspname::text "schema", c.collname::text "collation"
       from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
       left join pg_catalog.pg_collation c on c.oid = a.attcollation and a.attcollation <> t.typcollation
       left join pg_catalog.pg_namespace n on n.oid = c.collnamespace
      where a.attrelid = $1::pg_catalog.oid and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [table],
  );
  return rows.map(({ name, type, collation, schema }) => ({
    name,
    type,
    collation: collation === null ? null : `${quoteIdentifier(schema ?? '')}.${quoteIdentifier(collation)}`,
  }));
};
