import type { Row, Session } from '../database/session.js';

/** What tells a database from another one of the same name. */
export interface DatabaseIdentity {
  /** Its oid in its server. */
  readonly oid: string;
  /** The server's own number, by pg_control_system(); null where the role may not read it. */
  readonly systemIdentifier: string | null;
}

/** Reads both, in two statements: calling the function without the privilege would fail the whole statement. */
export async function readIdentity(session: Session): Promise<DatabaseIdentity> {
  const [database] = await session.query<Row & { oid: string; readable: boolean }>(
    `select d.oid::text oid,
            pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'execute') readable
       from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()`,
  );
  if (database === undefined) throw new Error('internal: the database is not in pg_database');
  if (!database.readable) return { oid: database.oid, systemIdentifier: null };
  const [server] = await session.query<Row & { number: string }>(
    'select s.system_identifier::text number from pg_catalog.pg_control_system() s',
  );
  return { oid: database.oid, systemIdentifier: server?.number ?? null };
}
