import { startServer, type TestServer } from '../postgres/server.js';
import { createTestDatabase, type TestDatabase } from '../test-database.js';
import { runProgram } from './program.js';
import { fillTenant, makeEmbeddings, type TenantRows } from './rows.js';
import { LOG_LINE_PREFIX } from './server-log.js';

/** The role under which the program runs: it owns the tenants, is no superuser, and every statement of it is logged. */
export const APPLIER = 'chaos_applier';
/** A tenant of the fleet that nothing is wrong with. */
export const WHOLE = 'chaos_whole';
/** A damaged tenant that is no part of the fleet: excluded. */
export const OUTSIDE = 'chaos_outside';
export const TENANTS: readonly string[] = Array.from(
  { length: 20 },
  (_, at) => `chaos_t${String(at + 1).padStart(2, '0')}`,
);
/** Those whose builds and backfills last long enough to be hit. */
export const BIG: readonly string[] = ['chaos_t03', 'chaos_t11', 'chaos_t17'];

/** The sizes of a fleet. */
export interface FleetSize {
  readonly small: TenantRows;
  readonly big: TenantRows;
}

/** A server of its own with a converged fleet, of which copies are cheap. */
export interface ChaosFleet {
  readonly server: TestServer;
  /** A copy, whose statements of {@link APPLIER} are logged. */
  copy(): Promise<TestDatabase>;
  close(): Promise<void>;
}

/** The flags that every run against a copy is given. */
export const targetFlags = (url: string): readonly string[] => [
  '--database-url',
  url,
  '--exclude-schema',
  OUTSIDE,
  '--json',
];

/** Makes the fleet with the program itself. */
export async function openChaosFleet(size: FleetSize): Promise<ChaosFleet> {
  const server = await startServer({ settings: { log_line_prefix: LOG_LINE_PREFIX, max_wal_size: '4GB' } });
  try {
    const made = await createTestDatabase({ server });
    await made.exec(`
      CREATE ROLE ${APPLIER} LOGIN;
      ALTER DATABASE ${made.name} OWNER TO ${APPLIER};
      CREATE EXTENSION vector SCHEMA public;
      CREATE EXTENSION pg_trgm SCHEMA public;
      ${makeEmbeddings(Math.max(size.big.memories, size.small.memories))}`);
    const schemas = [...TENANTS, WHOLE, OUTSIDE];
    const target = ['--database-url', made.urlFor(APPLIER), '--json', '--yes'];
    await done([...target, '--create-schema', ...schemas.flatMap((schema) => ['--schema', schema])]);
    for (const schema of schemas) await made.exec(fillTenant(schema, BIG.includes(schema) ? size.big : size.small));
    // The members of the banks that came with the rows.
    await done(target);
    await made.exec(`DROP TABLE public.embeddings; ALTER ROLE ${APPLIER} SET log_statement = 'all'`);
    await made.query('ANALYZE');
    // Copied only while nobody is connected to it.
    await made.disconnect();
    return {
      server,
      copy: async () => {
        const copied = await createTestDatabase({ server, template: made.name });
        await copied.exec(`ALTER DATABASE ${copied.name} OWNER TO ${APPLIER}`);
        return copied;
      },
      close: () => server.remove(),
    };
  } catch (error) {
    await server.remove();
    throw error;
  }
}

async function done(argv: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await runProgram(['apply', ...argv]);
  if (code !== 0)
    throw new Error(
      `the fleet could not be made: apply ended with ${code}\n${stdout.slice(0, 4000)}\n${stderr.slice(0, 4000)}`,
    );
}
