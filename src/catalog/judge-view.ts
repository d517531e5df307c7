import { DatabaseError, type Row, type Session } from '../database/session.js';
import type { NameResolver } from '../sql/names.js';
import { foreignNames } from '../sql/object-names.js';
import { quoteIdentifier } from '../sql/quote.js';
import { relativeSql, renderSql } from '../sql/template.js';
import { isLockTimeout } from './locked-tenants.js';
import { numberedRelations } from './numbered-relations.js';

/**
 * Is a materialized view's query the declared one? The plans of both are compared, with all columns by place and by name.
 * It locks what the view reads for the length of a statement: asked of one representative a shape, outside transactions.
 * Null when it cannot be told.
 */
export async function judgeView(
  session: Session,
  view: { readonly schema: string; readonly name: string; readonly oid: string; readonly columns: readonly string[] },
  query: string,
  names: NameResolver,
): Promise<boolean | null> {
  try {
    if (!(await mayBePlanned(query, names))) return null;
    // The declared query calls nothing of the kind, so that this is another one.
    if (await reachesFurther(session, view.oid)) return false;
    const [row] = await session.query<Row & { def: string | null }>(`select pg_catalog.pg_get_viewdef($1::oid) def`, [
      view.oid,
    ]);
    if (row?.def == null) return null;
    const desired = renderSql(relativeSql(query), { schema: view.schema });
    const [actualPlan, desiredPlan] = [
      await planOf(session, row.def, view.columns),
      await planOf(session, desired, view.columns),
    ];
    return actualPlan === null ? null : actualPlan === desiredPlan;
  } catch (error) {
    // Whoever locks what the view reads is waited for.
    if (isLockTimeout(error)) throw error;
    if (error instanceof DatabaseError && !error.code.startsWith('08')) return null;
    throw error;
  }
}

/** An operator or a cast runs a function as a call does; whose operator it is, no resolver knows. */
async function mayBePlanned(query: string, names: NameResolver): Promise<boolean> {
  const foreign = await foreignNames('query', query);
  return foreign.every(
    ({ kind, schema, name }) => kind !== 'operator' && names.extensionOf(kind, schema, name) !== null,
  );
}

/**
 * Whether planning a view might run what is no extension's and not PostgreSQL's own: functions, operators, types with
 * their checks, views that hide such. Dependencies on PostgreSQL's own are not recorded (pg_depend's manual page).
 */
async function reachesFurther(session: Session, view: string): Promise<boolean> {
  const [row] = await session.query<Row & { further: boolean }>(
    `select exists (
       select from pg_catalog.pg_rewrite w
         join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and d.objid = w.oid
         left join pg_catalog.pg_class c on d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and c.oid = d.refobjid
        where w.ev_class = $1::pg_catalog.oid and d.refobjid <> w.ev_class
          and (c.relkind not in ('r', 'p', 'm')
            or d.refclassid = any(array['pg_catalog.pg_proc', 'pg_catalog.pg_operator', 'pg_catalog.pg_type']::pg_catalog.regclass[]))
          and not exists (select from pg_catalog.pg_depend e where e.classid = d.refclassid and e.objid = d.refobjid and e.deptype = 'e')
     ) further`,
    [view],
  );
  return row?.further !== false;
}

/** The plans of a query with its columns by place, and with the given ones by name; its relations by number. */
async function planOf(session: Session, query: string, columns: readonly string[]): Promise<string | null> {
  const body = query.trim().replace(/;$/u, '');
  const byName = columns.map((column) => `q.${quoteIdentifier(column)}`).join(', ');
  try {
    const explained = await session.script(
      ['q.*', byName].map((outputs) => `EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) SELECT ${outputs} FROM (${body}) q`),
    );
    return JSON.stringify(numberedRelations(explained));
  } catch (error) {
    // A column that the declared query does not have: another query.
    if (error instanceof DatabaseError && error.code === '42703') return null;
    throw error;
  }
}
