import { readFamilyRows } from '../catalog/row-facts.js';
import { DatabaseError, type Row, type Session } from '../database/session.js';
import { inTransaction } from '../database/transaction.js';
import { type Assumption, LOCK_MODES, type LockMode, type Member } from '../diff/change.js';
import { expectedMembers } from '../diff/family-members.js';
import { quoteIdentifier } from '../sql/quote.js';
import { renderSql } from '../sql/template.js';
import { TrueupError } from '../trueup-error.js';
import type { Statement } from './statements.js';

/** What a change relies on, and the members that it is about. */
export interface Evidence {
  readonly assumption: Assumption;
  readonly members: readonly Member[];
}

/** Statements that one transaction makes together. */
export interface TransactionUnit {
  readonly statements: readonly Statement[];
  readonly evidence: readonly Evidence[];
}

/**
 * Makes a unit: locks its tables in oid order under one budget, checks its evidence again, then changes. The budget is
 * shorter than deadlock_timeout (1 s): in a deadlock it is trueup that gives up, never the application.
 * @throws {TrueupError} STALE_EVIDENCE when rows or values have come since the plan.
 */
export async function runTransaction(
  session: Session,
  schema: string,
  unit: TransactionUnit,
  budgetMs: number,
): Promise<void> {
  await inTransaction(session, 'read write', async () => {
    const until = Date.now() + budgetMs;
    const remaining = () => Math.max(1, until - Date.now());
    for (const { table, mode } of await lockOrder(session, schema, unit)) {
      await session.query(`SET LOCAL lock_timeout = ${remaining()}`);
      await session.query(`LOCK TABLE ${quoteIdentifier(schema)}.${quoteIdentifier(table)} IN ${mode} MODE`);
    }
    for (const evidence of unit.evidence) await checkAgain(session, schema, evidence, remaining());
    // Locks that the statements take beside: of referenced tables, of indexes.
    await session.query(`SET LOCAL lock_timeout = ${remaining()}`);
    for (const statement of unit.statements) await session.query(statement.sql);
  });
}

/** The tables that a unit locks, and how strongly. */
function modesOf(unit: TransactionUnit): ReadonlyMap<string, LockMode> {
  const modes = new Map<string, LockMode>();
  const strengthen = (table: string, mode: LockMode) => {
    const before = modes.get(table) ?? 'NONE';
    if (LOCK_MODES.indexOf(mode) > LOCK_MODES.indexOf(before)) modes.set(table, mode);
  };
  for (const { step } of unit.statements)
    if (step.lock.table !== null && LOCK_MODES.indexOf(step.lock.mode) >= LOCK_MODES.indexOf('SHARE'))
      strengthen(step.lock.table, step.lock.mode);
  // SHARE keeps writers out, so that what was checked stays true until the commit.
  for (const { assumption } of unit.evidence) strengthen(assumption.table, 'SHARE');
  return modes;
}

/** The tables whose locks a unit may have failed to get, and the strongest of its modes. */
export function lockedBy(unit: TransactionUnit): { readonly tables: readonly string[]; readonly mode: LockMode } {
  const modes = new Map(modesOf(unit));
  for (const { step } of unit.statements)
    if (step.lock.table !== null && !modes.has(step.lock.table)) modes.set(step.lock.table, step.lock.mode);
  const strength = [...modes.values()].map((mode) => LOCK_MODES.indexOf(mode));
  return { tables: [...modes.keys()], mode: LOCK_MODES[Math.max(0, ...strength)] ?? 'NONE' };
}

/** The locks of a unit in oid order: two appliers and the application's migrations never cross. */
async function lockOrder(
  session: Session,
  schema: string,
  unit: TransactionUnit,
): Promise<readonly { readonly table: string; readonly mode: LockMode }[]> {
  const modes = modesOf(unit);
  if (modes.size === 0) return [];
  const rows = await session.query<Row & { relname: string }>(
    `select c.relname::text relname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname = $1 and c.relname = any($2::text[]) and c.relkind in ('r', 'p') order by c.oid`,
    [schema, [...modes.keys()]],
  );
  return rows.map((row) => ({ table: row.relname, mode: modes.get(row.relname) ?? 'SHARE' }));
}

/** @param budgetMs for counts; what loses values is checked however long it takes */
async function checkAgain(
  session: Session,
  schema: string,
  { assumption, members }: Evidence,
  budgetMs: number,
): Promise<void> {
  if (assumption.kind === 'no-member') return checkMembers(session, schema, assumption, members);
  if (assumption.kind === 'few-rows') {
    await session.query(`SET LOCAL statement_timeout = ${budgetMs}`);
    await countAgain(session, schema, assumption, members).catch((error: unknown) => {
      throw isTimeout(error) ? tooSlow(schema, assumption.table) : error;
    });
    await session.query('SET LOCAL statement_timeout = 0');
    return;
  }
  const table = `${quoteIdentifier(schema)}.${quoteIdentifier(assumption.table)}`;
  const where = assumption.kind === 'no-values' ? ` WHERE ${quoteIdentifier(assumption.column)} IS NOT NULL` : '';
  const [row] = await session.query<Row & { some: boolean }>(`SELECT EXISTS (SELECT FROM ${table}${where}) "some"`);
  if (row?.some !== false)
    throw stale(schema, `${assumption.table} was empty when the plan was made and holds data now`);
}

/** What was not worth its cost may be by now. The table is locked against writers meanwhile. */
async function countAgain(
  session: Session,
  schema: string,
  { table, where, below }: Extract<Assumption, { kind: 'few-rows' }>,
  members: readonly Member[],
): Promise<void> {
  for (const member of members.length === 0 ? [{}] : members) {
    const matching = where === null ? '' : ` WHERE ${renderSql(where, { ...member, schema })}`;
    const rows = `SELECT FROM ${quoteIdentifier(schema)}.${quoteIdentifier(table)}${matching} LIMIT ${below}`;
    const [row] = await session.query<Row & { n: number }>(`SELECT count(*)::int4 n FROM (${rows}) r`);
    if (row === undefined || row.n >= below)
      throw stale(schema, `rows of ${table} have come that an index was to be dropped for want of`);
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
    throw stale(schema, `rows of ${table} have come that an index was to be dropped for want of`);
}

const isTimeout = (error: unknown): boolean =>
  error instanceof DatabaseError && error.code === '57014' && /statement timeout/u.test(error.message);

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
