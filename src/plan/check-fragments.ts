import { unsafeFunctions } from '../catalog/callable.js';
import type { Session } from '../database/session.js';
import { asOneIndex } from '../desired-state/as-one-index.js';
import type { DesiredState, DesiredTable, MigrationLockRule, SourcePosition } from '../desired-state/model.js';
import type { DesiredProbe } from '../desired-state/probe.js';
import { calledFunctions, calledWithArguments } from '../sql/called-functions.js';
import { foreignNames } from '../sql/object-names.js';
import { TrueupError } from '../trueup-error.js';

/** Declarations whose fragments were found in order before, and need not be asked about; is added to. */
export type Checked = WeakSet<DesiredTable | MigrationLockRule>;

/**
 * Fragments that plan evaluates on the server may call only immutable functions of pg_catalog: the plan of someone's change
 * must not be able to read files or to end backends. READ ONLY would stop neither.
 * @throws {TrueupError} FRAGMENT_REFUSED before any of them is evaluated.
 */
export async function checkEvaluatedFragments(
  session: Session,
  { tables, migrationLock }: DesiredState,
  checked: Checked = new WeakSet(),
): Promise<void> {
  const open = tables.filter((table) => !checked.has(table));
  const rule = migrationLock === null || checked.has(migrationLock) ? null : migrationLock;
  await checkAll(session, [...open.flatMap(evaluatedFragments), ...lockFragments(rule)]);
  for (const one of [...open, ...(rule === null ? [] : [rule])]) checked.add(one);
}

/**
 * The same for the values that probes take from rows.
 * @throws {TrueupError} FRAGMENT_REFUSED before any of them is evaluated.
 */
export function checkProbeRows(session: Session, probes: readonly DesiredProbe[]): Promise<void> {
  return checkAll(
    session,
    probes.flatMap(({ row, source }) => Object.values(row).map((text) => ({ text, source }))),
  );
}

/**
 * The same for the keys of the application's migration lock alone, which apply evaluates.
 * @throws {TrueupError} FRAGMENT_REFUSED before any of them is evaluated.
 */
export async function checkMigrationLock(session: Session, rule: MigrationLockRule, checked: Checked): Promise<void> {
  if (checked.has(rule)) return;
  await checkAll(session, lockFragments(rule));
  checked.add(rule);
}

interface Evaluated {
  readonly text: string;
  readonly source: SourcePosition;
}

const lockFragments = (rule: MigrationLockRule | null): readonly Evaluated[] =>
  rule === null
    ? []
    : [rule.key, rule.baseSchemaKey].flatMap((text) => (text === null ? [] : [{ text, source: rule.source }]));

async function checkAll(session: Session, evaluated: readonly Evaluated[]): Promise<void> {
  const called = new Map<string, Evaluated>();
  for (const fragment of evaluated)
    for (const { schema, name } of await calledFunctions(fragment.text)) {
      if (schema !== null && schema !== 'pg_catalog') throw refused(`${schema}.${name}`, fragment);
      called.set(name, fragment);
    }
  const [unsafe] = await unsafeFunctions(session, [...called.keys()]);
  const fragment = unsafe === undefined ? undefined : called.get(unsafe);
  if (unsafe !== undefined && fragment !== undefined) throw refused(unsafe, fragment);
}

/**
 * The query that lists the tenants runs on the server with plan's rights: like the fragments it may call only immutable
 * functions of pg_catalog, aggregates aside.
 * @throws {TrueupError} FRAGMENT_REFUSED before it is sent.
 */
export async function checkTenantQuery(session: Session, query: string): Promise<void> {
  const [foreign] = await foreignNames('query', query);
  if (foreign !== undefined) throw queryRefused(`${foreign.schema}.${foreign.name} may not be used here`);
  const called = await calledWithArguments(query);
  const [unsafe] = await unsafeFunctions(session, [...new Set(called.map(({ name }) => name))]);
  if (unsafe !== undefined) throw queryRefused(`${unsafe} may not be called here`);
}

function queryRefused(message: string): TrueupError {
  return new TrueupError('FRAGMENT_REFUSED', message, {
    where: 'fleet.yaml: tenants.query',
    remedy: 'plan runs this query: use one SELECT that calls only immutable functions of pg_catalog',
  });
}

function evaluatedFragments(table: DesiredTable): readonly Evaluated[] {
  const required = [...table.indexes, ...table.families].flatMap((index) =>
    index.requiresRows?.where == null ? [] : [{ text: index.requiresRows.where, source: index.source }],
  );
  const values = table.families.flatMap((family) => {
    const { rows } = family;
    return rows === null ? [] : Object.values(rows.values).map((text) => ({ text, source: rows.source }));
  });
  // A count policy evaluates the predicate as well.
  const counted = [...table.indexes, ...table.families.map(asOneIndex)].flatMap(({ worthRows, where, source }) =>
    worthRows === null || where === null ? [] : [{ text: where, source }],
  );
  return [...required, ...values, ...counted];
}

function refused(name: string, fragment: Evaluated): TrueupError {
  const { file, line, column } = fragment.source;
  return new TrueupError('FRAGMENT_REFUSED', `${name} may not be called here: ${fragment.text}`, {
    where: `${file}:${line}:${column}`,
    remedy: 'plan evaluates this on the server: use only immutable functions of pg_catalog',
  });
}
