import type { Row, Session } from '../database/session.js';
import { quoteLiteral } from '../sql/quote.js';

/** A function as a query calls it. */
export interface Call {
  /** Null: a bare name. */
  readonly schema: string | null;
  readonly name: string;
  /** How many arguments it is given. */
  readonly count: number;
}

/** Which functions among these are not immutable functions of pg_catalog: plan must not evaluate them. */
export async function unsafeFunctions(session: Session, names: readonly string[]): Promise<readonly string[]> {
  if (names.length === 0) return [];
  const rows = await session.query<Row & { name: string }>(
    `select w.name from (values ${names.map((name) => `(${quoteLiteral(name)})`).join(', ')}) w(name)
      where not exists (select from pg_catalog.pg_proc p where p.proname = w.name and p.pronamespace = 'pg_catalog'::regnamespace)
         or exists (select from pg_catalog.pg_proc p where p.proname = w.name and p.pronamespace = 'pg_catalog'::regnamespace and p.provolatile <> 'i')`,
  );
  return rows.map((row) => row.name);
}

/**
 * Which of these calls planning must not run: those of pg_catalog that may not be immutable, and those of other schemas where
 * not every function of the name is an extension's, or one is volatile.
 */
export async function unsafeCalls(session: Session, calls: readonly Call[]): Promise<readonly string[]> {
  if (calls.length === 0) return [];
  const rows = await session.query<Row & { name: string }>(
    `select w.s || '.' || w.name "name"
       from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::int4[])) w(s, "name", n)
      where not coalesce((
        select pg_catalog.bool_and(case when w.s = 'pg_catalog' then p.provolatile = 'i' and p.prokind <> 'p' else p.provolatile <> 'v' and ${OF_EXTENSION('pg_proc', 'p')} end)
          from pg_catalog.pg_proc p join pg_catalog.pg_namespace f on f.oid = p.pronamespace
         where f.nspname = w.s and p.proname = w.name
           and (w.s <> 'pg_catalog' or w.n between p.pronargs - p.pronargdefaults and p.pronargs or p.provariadic <> 0)), false)`,
    [calls.map((call) => call.schema ?? 'pg_catalog'), calls.map((call) => call.name), calls.map((call) => call.count)],
  );
  return rows.map((row) => row.name);
}

/** Which of these operators are not, under every pair of types, an extension's. */
export async function unsafeOperators(
  session: Session,
  operators: readonly { readonly schema: string; readonly name: string }[],
): Promise<readonly string[]> {
  if (operators.length === 0) return [];
  const rows = await session.query<Row & { name: string }>(
    `select w.s || '.' || w.name "name" from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) w(s, "name")
      where not coalesce((
        select pg_catalog.bool_and(${OF_EXTENSION('pg_operator', 'o')})
          from pg_catalog.pg_operator o join pg_catalog.pg_namespace f on f.oid = o.oprnamespace
         where f.nspname = w.s and o.oprname = w.name), false)`,
    [operators.map((operator) => operator.schema), operators.map((operator) => operator.name)],
  );
  return rows.map((row) => row.name);
}

/** In which schemas the operators of extensions live that pg_catalog has none of the name of; of several, none. */
export async function readOperatorSchemas(
  session: Session,
  extensions: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await session.query<Row & { name: string; schema: string }>(
    `select o.oprname::text "name", pg_catalog.min(n.nspname::text) "schema"
       from pg_catalog.pg_extension e
       join pg_catalog.pg_depend d on d.refobjid = e.oid and d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
        and d.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass and d.deptype = 'e'
       join pg_catalog.pg_operator o on o.oid = d.objid join pg_catalog.pg_namespace n on n.oid = o.oprnamespace
      where e.extname = any($1::text[])
        and not exists (select from pg_catalog.pg_operator b where b.oprname = o.oprname and b.oprnamespace = 'pg_catalog'::pg_catalog.regnamespace)
      group by o.oprname having pg_catalog.count(distinct n.nspname) = 1`,
    [extensions],
  );
  return new Map(rows.map((row) => [row.name, row.schema]));
}

const OF_EXTENSION = (catalog: string, alias: string): string =>
  `exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.${catalog}'::pg_catalog.regclass and d.objid = ${alias}.oid and d.deptype = 'e')`;
