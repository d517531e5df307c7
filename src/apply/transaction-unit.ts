import { readFamilyRows } from '../catalog/row-facts.js';
import { DatabaseError, type Session } from '../database/session.js';
import { inScripts } from '../database/transaction.js';
import type { Assumption, Member } from '../diff/change.js';
import { countSql, evidenceSql, rowsHaveCome, STALE_EVIDENCE } from '../diff/evidence-sql.js';
import { expectedMembers } from '../diff/family-members.js';
import { type LockMode, strongest } from '../diff/lock-mode.js';
import { ownTables, sharedTable } from '../diff/step.js';
import { quoteIdentifier } from '../sql/quote.js';
import { TrueupError } from '../trueup-error.js';
import { isCancelled } from './failure.js';
import { lockModes, type TableOrder, UNKNOWN_ORDER } from './lock-order.js';
import type { Statement } from './statements.js';

/** What a change relies on, and the members that it is about. */
export interface Evidence {
  readonly assumption: Assumption;
  readonly members: readonly Member[];
  /** The change drops values, should the evidence be wrong. */
  readonly drops: boolean;
}

/** Statements that one transaction makes together. */
export interface TransactionUnit {
  readonly statements: readonly Statement[];
  readonly evidence: readonly Evidence[];
}

/**
 * Makes a unit: locks its tables in oid order under one budget, checks its evidence again, then changes. The budget is
 * shorter than deadlock_timeout (1 s): in a deadlock it is trueup that gives up, never the application. One round trip, or
 * a few where something is dropped: over a network, round trips are what a fleet's short changes cost, and locks are held
 * meanwhile.
 * @throws {TrueupError} STALE_EVIDENCE when rows or values have come since the plan.
 */
export async function runTransaction(
  session: Session,
  schema: string,
  unit: TransactionUnit,
  budgetMs: number,
  order: TableOrder = UNKNOWN_ORDER,
): Promise<void> {
  const tables = await order.of(session, schema, [...modesOf(unit).keys()]);
  const checked = checkedSql(schema, unit, budgetMs, tables);
  const changes = changesSql(unit, budgetMs, tables);
  await inScripts(session, async (begin, commit) => {
    const opening = [begin, ...checked];
    if (!unit.evidence.some(isAnsweredFirst)) {
      await session.script([...opening, ...changes, commit]);
      return;
    }
    const until = Date.now() + budgetMs;
    await session.script(opening);
    for (const evidence of unit.evidence) await checkAgain(session, schema, evidence, Math.max(1, until - Date.now()));
    await session.script([...changes, commit]);
  }).catch((error: unknown) => {
    throw asStale(error, schema);
  });
}

/**
 * The statements between BEGIN and COMMIT of a unit that needs no answer before its end; null for any other, and where it has
 * to be asked which of its tables there are. It is short where it waits for one lock at most: what is left of the budget
 * for a second one would be told from the beginning of the message (transaction_timestamp()), which others may have had
 * their time of.
 * @param isFirst see {@link TableOrder.known}
 */
export function scriptOf(
  schema: string,
  unit: TransactionUnit,
  budgetMs: number,
  { order, isFirst }: { readonly order: TableOrder; readonly isFirst: boolean },
): { readonly statements: readonly string[]; readonly isShort: boolean } | null {
  if (unit.evidence.some(isAnsweredFirst)) return null;
  const tables = order.known(schema, [...modesOf(unit).keys()], isFirst);
  if (tables === null) return null;
  const statements = [...checkedSql(schema, unit, budgetMs, tables), ...changesSql(unit, budgetMs, tables)];
  return { statements, isShort: !statements.includes(remainder(budgetMs)) };
}

/** What the server found of evidence, as an error of ours. */
export const asStale = (error: unknown, schema: string): unknown =>
  error instanceof DatabaseError && error.code === STALE_EVIDENCE ? stale(schema, error.message) : error;

/** Locks some tables, in this order, then checks what can be checked without an answer. */
function checkedSql(
  schema: string,
  unit: TransactionUnit,
  budgetMs: number,
  tables: readonly string[],
): readonly string[] {
  const modes = modesOf(unit);
  const locks = tables.flatMap((table, at) => [
    at === 0 ? `SET LOCAL lock_timeout = ${budgetMs}` : remainder(budgetMs),
    `LOCK TABLE ${quoteIdentifier(schema)}.${quoteIdentifier(table)} IN ${modes.get(table) ?? 'SHARE'} MODE`,
  ]);
  return [...locks, ...checksOf(schema, unit)];
}

/**
 * What is left of the budget is for locks that the statements take beside those that are had: of referenced tables, of
 * indexes, of what LOCK TABLE does not lock.
 */
function changesSql({ statements }: TransactionUnit, budgetMs: number, had: readonly string[]): readonly string[] {
  const waits = statements.some(
    ({ step: { lock } }) => lock.only !== true || lock.table === null || !had.includes(lock.table),
  );
  return [...(waits ? [remainder(budgetMs)] : []), ...statements.map(({ sql }) => sql)];
}

/** Sets what is left of the budget since the transaction began, as the server's clock has it. */
const remainder = (budgetMs: number): string =>
  `SELECT pg_catalog.set_config('lock_timeout', greatest(1, ${budgetMs} - (1000 * extract(epoch from ` +
  `pg_catalog.clock_timestamp() - pg_catalog.transaction_timestamp()))::pg_catalog.int4)::pg_catalog.text, true)`;

/** The tables that a unit locks, and how strongly. */
function modesOf(unit: TransactionUnit): ReadonlyMap<string, LockMode> {
  return lockModes(
    unit.statements.map(({ step }) => step),
    unit.evidence.map(({ assumption }) => assumption),
  );
}

/** Tables of one schema, and the strongest mode that a unit locks one of them in. */
export interface Locked {
  readonly schema: string;
  readonly tables: readonly string[];
  readonly mode: LockMode;
}

/** The tables whose locks a unit of a tenant may have failed to get: the tenant's, and those that tenants share. */
export function lockedBy(unit: TransactionUnit, schema: string): readonly Locked[] {
  const modes = new Map(modesOf(unit));
  const shared: Locked[] = [];
  for (const { step } of unit.statements) {
    const { mode } = step.lock;
    const beside = sharedTable(step);
    if (beside !== null) shared.push({ schema: beside.schema, tables: [beside.table], mode });
    for (const own of ownTables(step)) if (!modes.has(own)) modes.set(own, mode);
  }
  return [{ schema, tables: [...modes.keys()], mode: strongest([...modes.values()]) }, ...shared];
}

/** Statements that fail unless tables, and columns, are empty still. What loses values is checked however long it takes. */
function checksOf(schema: string, { evidence }: TransactionUnit): readonly string[] {
  // Once where several changes rely on the same.
  const asked = new Map<string, Assumption>();
  for (const { assumption } of evidence)
    if (assumption.kind === 'no-rows') asked.set(assumption.table, assumption);
    else if (assumption.kind === 'no-values') asked.set(`${assumption.table}\0${assumption.column}`, assumption);
  return [...asked.values()].flatMap((assumption) => evidenceSql(assumption, {}, schema) ?? []);
}

/** What needs more than one question; and what drops values is not even sent before the answer that there are none. */
const isAnsweredFirst = ({ assumption, drops }: Evidence): boolean => drops || assumption.kind !== 'no-rows';

/** What needs more than one question. */
async function checkAgain(
  session: Session,
  schema: string,
  { assumption, members }: Evidence,
  budgetMs: number,
): Promise<void> {
  if (assumption.kind === 'no-member') return checkMembers(session, schema, assumption, members);
  if (assumption.kind !== 'few-rows') return;
  const until = performance.now() + budgetMs;
  await countAgain(session, schema, assumption, members, until).catch((error: unknown) => {
    // By the clock: the words are in the server's language, and the code is that of any statement that somebody cancels.
    throw isCancelled(error) && performance.now() >= until ? tooSlow(schema, assumption.table) : error;
  });
  await session.query('SET LOCAL statement_timeout = 0');
}

/** What was not worth its cost may be by now. The table is locked against writers meanwhile, for all members together. */
async function countAgain(
  session: Session,
  schema: string,
  assumption: Extract<Assumption, { kind: 'few-rows' }>,
  members: readonly Member[],
  until: number,
): Promise<void> {
  for (const member of members.length === 0 ? [{}] : members) {
    const left = Math.max(1, Math.ceil(until - performance.now()));
    const [, [row] = []] = await session.script([
      `SET LOCAL statement_timeout = ${left}`,
      `SELECT (${countSql(assumption, member, schema)})::int4 n`,
    ]);
    if (row === undefined || Number(row.n) >= assumption.below) throw stale(schema, rowsHaveCome(assumption.table));
  }
}

/** A member whose row has come, or come back, is no orphan. */
async function checkMembers(
  session: Session,
  schema: string,
  { family }: Extract<Assumption, { kind: 'no-member' }>,
  members: readonly Member[],
): Promise<void> {
  if (family.rows === null) return;
  const { table, values } = family.rows;
  const { rows, failed } = await readFamilyRows(session, [{ schema, table }], values);
  const expected = failed.has(schema) ? null : expectedMembers(family, rows.get(schema) ?? []);
  if (expected === null || members.some((member) => expected.has(member.index ?? '')))
    throw stale(schema, rowsHaveCome(table));
}

/** An index that costs more than it is worth is no reason to keep writers waiting. */
const tooSlow = (schema: string, table: string): TrueupError =>
  new TrueupError('TENANT_FAILED', `counting rows of ${table} again takes longer than its writers may wait for it`, {
    where: `schema "${schema}"`,
    remedy: `run again at a quieter time, with a longer --lock-timeout, or make an index on what the count filters ${table} by`,
  });

const stale = (schema: string, message: string): TrueupError =>
  new TrueupError('STALE_EVIDENCE', message, {
    where: `schema "${schema}"`,
    remedy: 'run again: the new plan goes by what is there',
  });
