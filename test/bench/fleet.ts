import { createHash } from 'node:crypto';
import type { DesiredState } from '../../src/desired-state/model.js';
import { buildFleet, planTenant, type TenantStatements, withClient } from './build-fleet.js';
import type { FleetServer } from './fleet-server.js';
import { bankStatements, type FleetSize, TENANT_PATTERN } from './tenants.js';

/** What a fleet weighs, and what it cost. */
export interface FleetFacts extends FleetSize {
  /** Rows of pg_class in the tenants' schemas. */
  readonly relations: number;
  readonly databaseBytes: number;
  readonly buildSeconds: number;
  /** Of the statements that made it: files may change in what makes no difference to a tenant. */
  readonly statements: string;
}

/** What the fleet in a database is, written last: where it stands, the fleet is whole. */
const MARK = 'trueup_bench.fleet';

/** The fleet of a server: the one that it keeps when that was built by the same statements, else a new one. */
export async function prepareFleet(
  server: FleetServer,
  request: {
    readonly desired: DesiredState;
    readonly size: FleetSize;
    readonly fresh: boolean;
    readonly say: (line: string) => void;
  },
): Promise<FleetFacts> {
  const { desired, size, fresh, say } = request;
  const kept = fresh ? null : await readMark(server.url);
  if (kept !== null && kept.tenants === size.tenants && kept.banks === size.banks) {
    const now = digestOf(await planTenant(server.url, desired), size);
    if (kept.statements === now) {
      say(`using the fleet that was built before (${kept.relations} relations)`);
      return kept;
    }
  }
  await server.clear();
  const tenantStatements = await planTenant(server.url, desired);
  const statements = digestOf(tenantStatements, size);
  const began = performance.now();
  let told = 0;
  await buildFleet({
    url: server.url,
    tenantStatements,
    size,
    advance: (tenants) => {
      if (tenants < told + 500 && tenants < size.tenants) return;
      told = tenants;
      say(`built ${tenants} of ${size.tenants} tenants`);
    },
  });
  const buildSeconds = (performance.now() - began) / 1000;
  const facts = { ...size, ...(await weigh(server.url)), buildSeconds, statements };
  await writeMark(server.url, facts);
  return facts;
}

const digestOf = (tenantStatements: TenantStatements, size: FleetSize): string =>
  createHash('sha256')
    .update(JSON.stringify([tenantStatements('tenant'), bankStatements(0, size)]))
    .digest('hex');

const weigh = (url: string) =>
  withClient(url, async (client) => {
    const { rows } = await client.query<{ relations: number; bytes: string }>(
      `SELECT count(*)::int AS relations, pg_database_size(current_database()) AS bytes
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname ~ '${TENANT_PATTERN}'`,
    );
    return { relations: rows[0]?.relations ?? 0, databaseBytes: Number(rows[0]?.bytes ?? 0) };
  });

const readMark = (url: string): Promise<FleetFacts | null> =>
  withClient(url, async (client) => {
    const { rows } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [MARK]);
    if (rows[0]?.there !== true) return null;
    const facts = await client.query<{ facts: FleetFacts }>(`SELECT facts FROM ${MARK}`);
    return facts.rows[0]?.facts ?? null;
  });

const writeMark = (url: string, facts: FleetFacts): Promise<void> =>
  withClient(url, async (client) => {
    await client.query(`CREATE SCHEMA trueup_bench`);
    await client.query(`CREATE TABLE ${MARK} AS SELECT $1::jsonb AS facts`, [JSON.stringify(facts)]);
    await client.query('CHECKPOINT');
  });
