import { type Statement, statementsOf, type TenantValues } from '../apply/statements.js';
import type { DesiredPhase } from '../desired-state/model.js';
import type { Assumption, Change, Member, TenantChange } from '../diff/change.js';
import type { DatabasePlan, FleetPlan, PlannedTenant } from '../plan/fleet-plan.js';
import { quoteIdentifier, quoteLiteral } from '../sql/quote.js';
import { renderSql } from '../sql/template.js';
import { visible } from './visible.js';
import { counted } from './words.js';

/** The lock budget of a transaction, as apply's: below deadlock_timeout, so that the application wins. */
const LOCK_TIMEOUT = '500ms';

/**
 * A plan as a script for psql, line by line: what apply would send, names and values filled in. It is the plan of one
 * moment: apply diffs anew and retries, a script can only stop. What is blocked or deferred stands there as comments.
 */
export function* planSql(plan: FleetPlan): Iterable<string> {
  yield comment(`trueup ${plan.planId}, made ${plan.createdAt.toISOString()}`);
  yield comment(
    'For psql. It stops at the first error; what was committed before stays, and a new plan shows the rest.',
  );
  yield comment('It holds values that come from rows.');
  yield '\\set ON_ERROR_STOP on';
  for (const database of plan.databases) yield* databaseScript(database, plan);
}

function* databaseScript(database: DatabasePlan, plan: FleetPlan): Iterable<string> {
  const { id, host, port, name, role } = database;
  const where = port === null ? host : `${host}:${port}`;
  yield '';
  yield comment(`Database ${id}: ${name} at ${where}, planned as role ${role}`);
  if (plan.databases.length > 1) yield connect(name, host, port);
  yield "SET client_encoding = 'UTF8';";
  yield "SET search_path = '';";
  yield 'SET statement_timeout = 0;';
  for (const change of database.databaseChanges) {
    yield '';
    if (change.status !== 'pending') yield* refusal(change);
    else yield* changeScript([{ change, members: null }], { schema: '', owner: '', phases: [] });
  }
  for (const tenant of database.tenants) if (tenant.changes.length > 0) yield* tenantScript(tenant);
  for (const { schema, message } of database.unreadable) {
    yield '';
    yield comment(`Tenant ${schema} could not be read: ${message}`);
  }
}

function* tenantScript(tenant: PlannedTenant): Iterable<string> {
  yield '';
  yield comment(`Tenant ${tenant.schema}: ${counted(tenant.changes.length, 'change')}`);
  const pending = tenant.changes.filter(({ change }) => change.status === 'pending');
  yield* changeScript(pending, tenant);
  for (const { change } of tenant.changes) if (change.status !== 'pending') yield* refusal(change);
}

function* refusal(change: Change): Iterable<string> {
  yield comment(`${change.status}, not part of this script: ${described(change)}`);
  yield comment(`  ${change.obstacle ?? ''}`);
  if (change.remedy) yield comment(`  do: ${change.remedy}`);
}

/** Neighbouring steps that fit into one transaction share one; the others run outside of any. */
function* changeScript(
  changes: readonly TenantChange[],
  tenant: TenantValues & { readonly phases: readonly DesiredPhase[] },
): Iterable<string> {
  let open = false;
  for (const item of changes) {
    const { change } = item;
    const settings = Object.entries(tenant.phases.find((phase) => phase.name === change.phase)?.buildSettings ?? {});
    let evidence = change.assumptions;
    yield comment(described(change));
    for (const statement of statementsOf(item, tenant)) {
      if (statement.step.mode === 'transaction') {
        if (!open) {
          yield 'BEGIN;';
          yield `SET LOCAL lock_timeout = '${LOCK_TIMEOUT}';`;
        }
        open = true;
        for (const assumption of evidence) yield* evidenceCheck(assumption, item, tenant.schema);
        evidence = [];
        yield terminated(statement.sql);
        continue;
      }
      if (open) yield 'COMMIT;';
      open = false;
      yield* outsideTransactions(statement, settings);
    }
  }
  if (open) yield 'COMMIT;';
}

function* outsideTransactions(
  statement: Statement,
  settings: readonly (readonly [name: string, value: string])[],
): Iterable<string> {
  // A lock timeout would make a concurrent build fail at any idle writer, and leave an INVALID index.
  yield 'SET lock_timeout = 0;';
  if (statement.step.mode === 'backfill') {
    yield comment('repeated until no row is left, each time in a transaction of its own');
    yield terminated(repeated(statement.sql));
    return;
  }
  const used = statement.builds === null ? [] : settings;
  for (const [name, value] of used) yield `SET ${quoteIdentifier(name)} = ${quoteLiteral(value)};`;
  yield terminated(statement.sql);
  for (const [name] of used) yield `RESET ${quoteIdentifier(name)};`;
}

/**
 * PL/pgSQL may commit in a DO that is in no transaction (PostgreSQL 11 and newer). The body is a string constant: nothing
 * in a name can end it.
 */
function repeated(update: string): string {
  // Without the directive a column called "found" would be ambiguous.
  const body = `#variable_conflict use_column\nBEGIN LOOP ${update}; EXIT WHEN NOT FOUND; COMMIT; END LOOP; END`;
  return `DO ${quoteLiteral(body)}`;
}

/** Rows that came since the plan stop the script before it loses them. */
function* evidenceCheck(assumption: Assumption, { members }: TenantChange, schema: string): Iterable<string> {
  if (assumption.kind === 'few-rows') return yield* countCheck(assumption, members ?? [{}], schema);
  const table = `${quoteIdentifier(schema)}.${quoteIdentifier(assumption.table)}`;
  const where = assumption.kind === 'no-values' ? ` WHERE ${quoteIdentifier(assumption.column)} IS NOT NULL` : '';
  const message = quoteLiteral(`${assumption.table} was empty when the plan was made and holds data now: plan again`);
  const body = `BEGIN IF EXISTS (SELECT FROM ${table}${where}) THEN RAISE EXCEPTION USING MESSAGE = ${message}; END IF; END`;
  yield `LOCK TABLE ${table} IN SHARE MODE;`;
  yield `DO ${quoteLiteral(body)};`;
}

/** Indexes that were not worth their cost, and may be by now. */
function* countCheck(
  { table, where, below }: Extract<Assumption, { kind: 'few-rows' }>,
  members: readonly Member[],
  schema: string,
): Iterable<string> {
  const own = `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
  const message = quoteLiteral(`rows of ${table} have come that an index was to be dropped for want of: plan again`);
  yield `LOCK TABLE ${own} IN SHARE MODE;`;
  for (const member of members) {
    const matching = where === null ? '' : ` WHERE ${renderSql(where, { ...member, schema })}`;
    const found = `SELECT count(*) FROM (SELECT FROM ${own}${matching} LIMIT ${below}) AS r`;
    yield `DO ${quoteLiteral(`BEGIN IF (${found}) >= ${below} THEN RAISE EXCEPTION USING MESSAGE = ${message}; END IF; END`)};`;
  }
}

function described(change: Change): string {
  const what =
    change.table === '' || change.table === change.object ? change.object : `${change.table}.${change.object}`;
  return `${change.phase}: ${change.action} ${what}: ${change.reason}`;
}

/** psql ends a comment at a line's end, and reads what follows as statements and commands of its own. */
const comment = (text: string): string => `-- ${visible(text)}`;

/** A comment at the end of a statement's text must not swallow its semicolon. */
const terminated = (statement: string): string => (statement.includes('--') ? `${statement}\n;` : `${statement};`);

/** Always a connection string: psql would take a name with `=` in it for one. */
function connect(name: string, host: string, port: number | null): string {
  const quoted = (value: string) => `'${escaped(value)}'`;
  const parameters = `dbname=${quoted(name)} host=${quoted(host)}${port === null ? '' : ` port=${port}`}`;
  return `\\connect -reuse-previous=on '${escaped(parameters).replaceAll('\n', '\\n').replaceAll('\r', '\\r')}'`;
}

const escaped = (text: string): string => text.replaceAll(/[\\']/gu, '\\$&');
