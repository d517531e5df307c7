import { type Statement, statementsOf, type TenantValues } from '../apply/statements.js';
import { known } from '../collections.js';
import type { DesiredPhase } from '../desired-state/model.js';
import { type Assumption, type Change, isPending, type Member, type TenantChange } from '../diff/change.js';
import { evidenceSql } from '../diff/evidence-sql.js';
import type { DatabasePlan, FleetPlan, PlannedTenant } from '../plan/fleet-plan.js';
import { unreadableRemedy } from '../plan/unreadable.js';
import { FILLED_TO, TABLE_START } from '../sql/ddl/backfill.js';
import { quoteIdentifier, quoteLiteral } from '../sql/quote.js';
import { visible } from './visible.js';
import { counted, subjectName } from './words.js';

/** The lock budget of a transaction, as apply's: below deadlock_timeout, so that the application wins. */
const LOCK_TIMEOUT = '500ms';

/** Batches of a backfill, one after the other, that may update none of the rows which they find, before the script stops. */
const TRIES = 6;

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
  for (const { database, message, remedy } of plan.failedDatabases) {
    yield '';
    yield comment(`Database ${database} was not planned: ${message}`);
    if (remedy !== null) yield comment(`  do: ${remedy}`);
  }
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
    else yield* changeScript([{ change, members: null }], { schema: '', owner: null, phases: [] });
  }
  for (const tenant of database.tenants) if (tenant.changes.length > 0) yield* tenantScript(tenant);
  for (const tenant of database.unreadable) {
    yield '';
    yield comment(`Tenant ${tenant.schema} could not be read: ${tenant.message}`);
    yield comment(`  do: ${unreadableRemedy(tenant)}`);
  }
}

function* tenantScript(tenant: PlannedTenant): Iterable<string> {
  yield '';
  yield comment(`Tenant ${tenant.schema}: ${counted(tenant.changes.length, 'change')}`);
  const pending = tenant.changes.filter(isPending);
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
  // Of the transaction that is open; null: none is.
  let checked: Set<string> | null = null;
  for (const item of changes) {
    const { change } = item;
    const settings = Object.entries(tenant.phases.find((phase) => phase.name === change.phase)?.buildSettings ?? {});
    yield comment(described(change));
    for (const { statement, member } of statementsByMember(item, tenant)) {
      if (statement.step.mode === 'transaction') {
        if (checked === null) {
          yield 'BEGIN;';
          yield `SET LOCAL lock_timeout = '${LOCK_TIMEOUT}';`;
          checked = new Set();
        }
        for (const line of change.assumptions.flatMap((one) => checkedAgain(one, member, tenant.schema))) {
          if (!checked.has(line)) yield line;
          checked.add(line);
        }
        yield terminated(statement.sql);
        continue;
      }
      if (checked !== null) yield 'COMMIT;';
      checked = null;
      yield* outsideTransactions(statement, settings);
    }
  }
  if (checked !== null) yield 'COMMIT;';
}

/** What a change relies on, with its table locked against writers: rows that have come stop the script before it loses them. */
function checkedAgain(assumption: Assumption, member: Member, schema: string): readonly string[] {
  const check = evidenceSql(assumption, member, schema);
  if (check === null) return [];
  const table = `${quoteIdentifier(schema)}.${quoteIdentifier(assumption.table)}`;
  return [`LOCK TABLE ${table} IN SHARE MODE;`, terminated(check)];
}

/** Each member's statements in order, as apply sends them. */
const statementsByMember = (
  item: TenantChange,
  tenant: TenantValues,
): readonly { readonly statement: Statement; readonly member: Member }[] =>
  (item.members ?? [{}]).flatMap((member) =>
    statementsOf({ ...item, members: [member] }, tenant).map((statement) => ({ statement, member })),
  );

function* outsideTransactions(
  statement: Statement,
  settings: readonly (readonly [name: string, value: string])[],
): Iterable<string> {
  // A lock timeout would make a concurrent build fail at any idle writer, and leave an INVALID index.
  yield 'SET lock_timeout = 0;';
  if (statement.step.mode === 'backfill') {
    yield comment('repeated until no row is left, each time in a transaction of its own');
    yield terminated(repeated(statement.sql, known(statement.offenders, 'the count of rows').sql));
    return;
  }
  const used = statement.builds === null ? [] : settings;
  for (const [name, value] of used) yield `SET ${quoteIdentifier(name)} = ${quoteLiteral(value)};`;
  yield terminated(statement.sql);
  for (const [name] of used) yield `RESET ${quoteIdentifier(name)};`;
}

/**
 * PL/pgSQL may commit in a DO that is in no transaction (PostgreSQL 11 and newer). When it ends is told by
 * {@link backfillBatch}. The body is a string constant: nothing in a name can end it.
 * @param left counts the rows without a value
 */
function repeated(update: string, left: string): string {
  // Without the directive a column called "given" would be ambiguous.
  const body = [
    '#variable_conflict use_column',
    `DECLARE updated record; given int; kept int; reached_now text; filled_to text := '${TABLE_START}'; in_vain int := 0;`,
    'BEGIN LOOP',
    `PERFORM pg_catalog.set_config('${FILLED_TO}', filled_to, false);`,
    'given := 0; kept := 0; reached_now := NULL;',
    // Row by row: where the UPDATE has a rule, PostgreSQL takes it in no WITH.
    `FOR updated IN ${update} LOOP`,
    'IF updated.missing THEN kept := kept + 1; ELSE given := given + 1; END IF;',
    'reached_now := updated.reached;',
    'END LOOP;',
    'COMMIT;',
    `IF given = 0 AND kept > 0 AND filled_to = '${TABLE_START}' THEN EXIT; END IF;`,
    `filled_to := coalesce(reached_now, '${TABLE_START}');`,
    `IF filled_to = '${TABLE_START}' AND (${left}) = 0 THEN EXIT; END IF;`,
    'in_vain := CASE given + kept WHEN 0 THEN in_vain + 1 ELSE 0 END;',
    `IF in_vain = ${TRIES} THEN RAISE EXCEPTION 'rows are left without a value: UPDATE leaves them as they are'; END IF;`,
    'END LOOP; END',
  ];
  return `DO ${quoteLiteral(body.join('\n'))}`;
}

function described(change: Change): string {
  return `${change.phase}: ${change.action} ${subjectName(change)}: ${change.reason}`;
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
