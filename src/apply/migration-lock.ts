import type { Row, Session } from '../database/session.js';
import type { DesiredState } from '../desired-state/model.js';
import { type Checked, checkMigrationLock } from '../plan/check-fragments.js';

/**
 * The session advisory locks that the application's own migration holds on some tenants: 64-bit keys as text, by schema.
 * Empty where fleet.yaml names none.
 * @throws {TrueupError} FRAGMENT_REFUSED before an expression is evaluated that may not be
 * @throws {DatabaseError} when an expression cannot be evaluated
 */
export async function migrationLockKeys(
  session: Session,
  desired: DesiredState,
  schemas: readonly string[],
  checked: Checked = new WeakSet(),
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { migrationLock, tenants } = desired;
  if (migrationLock === null || schemas.length === 0) return new Map();
  await checkMigrationLock(session, migrationLock, checked);
  const base = migrationLock.baseSchemaKey ?? 'null';
  const rows = await session.query<Row & { schema: string; key: string | null; base: string | null }>(
    `select "schema", (${migrationLock.key})::int8::text "key",
            case when "schema" = $2 then (${base})::int8::text end base
       from pg_catalog.unnest($1::text[]) as tenant("schema")`,
    [schemas, tenants.baseSchema],
  );
  return new Map(
    rows.map(({ schema, key, base: other }) => [schema, [key, other].filter((one): one is string => one !== null)]),
  );
}

/**
 * Tries the locks of some tenants, all in one statement; gives the schemas of which every lock was had. Tried, never
 * waited for, as the tenants' own.
 */
export async function tryMigrationLocks(
  session: Session,
  keys: ReadonlyMap<string, readonly string[]>,
): Promise<ReadonlySet<string>> {
  const wanted = pairs(keys);
  if (wanted.length === 0) return new Set(keys.keys());
  const rows = await session.query<Row & { schema: string; key: string; had: boolean }>(
    `select w.s "schema", w.k::text "key", pg_catalog.pg_try_advisory_lock(w.k) had
       from unnest($1::text[], $2::int8[]) w(s, k)`,
    [wanted.map(({ schema }) => schema), wanted.map(({ key }) => key)],
  );
  const missed = new Set(rows.filter((row) => !row.had).map((row) => row.schema));
  await unlock(
    session,
    rows.filter((row) => row.had && missed.has(row.schema)).map(({ key }) => key),
  );
  return new Set([...keys.keys()].filter((schema) => !missed.has(schema)));
}

/** Gives the locks back. */
export async function releaseMigrationLocks(
  session: Session,
  held: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  await unlock(
    session,
    pairs(held).map(({ key }) => key),
  );
}

const pairs = (keys: ReadonlyMap<string, readonly string[]>): readonly { schema: string; key: string }[] =>
  [...keys].flatMap(([schema, its]) => its.map((key) => ({ schema, key })));

async function unlock(session: Session, keys: readonly string[]): Promise<void> {
  if (keys.length > 0)
    await session.query('select pg_catalog.pg_advisory_unlock(k) from pg_catalog.unnest($1::int8[]) k', [keys]);
}
