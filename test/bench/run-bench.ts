import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, type as systemName, totalmem } from 'node:os';
import { openDatabase, resolveTarget } from '../../src/index.js';
import { applyCases } from './apply-cases.js';
import type { BenchDocument } from './bench-document.js';
import { vacuumCatalogs, withClient } from './build-fleet.js';
import { onCopy } from './database-copy.js';
import { damage } from './drift.js';
import { prepareFleet } from './fleet.js';
import type { FleetServer } from './fleet-server.js';
import { type Figure, measureInTurns } from './measure.js';
import { convergedPlanCases, driftPlanCase, planOfAllPhases } from './plan-cases.js';
import { provisionCases } from './provision-cases.js';
import { loadShipped } from './shipped.js';
import { startCases } from './start-cases.js';
import { targetsOf } from './targets.js';
import type { FleetSize } from './tenants.js';
import { writeWiderState } from './wider-state.js';

/** What a run measures. */
export interface BenchRequest {
  readonly size: FleetSize;
  readonly runs: number;
  /** Builds the fleet anew, though one is kept. */
  readonly fresh: boolean;
  /** Nothing but plans, on the fleet itself. */
  readonly plans: boolean;
  /** Is told what happens. */
  readonly say: (line: string) => void;
}

/** Makes the fleet ready and measures everything: plans on the fleet itself, what changes anything on a copy of it. */
export async function runBench(server: FleetServer, request: BenchRequest): Promise<BenchDocument> {
  const { size, runs, say } = request;
  const desired = await loadShipped();
  const fleet = await prepareFleet(server, { ...request, desired });
  const { url, bin } = server;

  // Else the first plan alone would read from the disk what the baselines then find in the server's buffers.
  const first = await planOfAllPhases(url);
  say(`a first plan, all phases: ${first.seconds.toFixed(2)} s, not among those that are measured`);
  const plans = await withClient(url, (session) =>
    measureInTurns([...convergedPlanCases(size, bin, session), ...startCases], { url, runs, say }),
  );
  if (!request.plans) say('copying the fleet, to change it');
  const changes = request.plans ? [] : await onCopy(url, (copy) => measureChanges(copy, { ...request, bin }));
  const figures = [...plans, ...changes];
  return {
    formatVersion: '1.0',
    createdAt: new Date().toISOString(),
    trueupVersion: packageVersion(),
    machine: {
      cpus: availableParallelism(),
      model: cpus()[0]?.model.trim() ?? 'unknown',
      memoryBytes: totalmem(),
      system: `${systemName()} ${release()}`,
      node: process.versions.node,
    },
    server: { version: await serverVersion(url), settings: server.settings },
    fleet,
    runs,
    firstPlanSeconds: first.seconds,
    figures,
    targets: targetsOf(figures, size.tenants),
  };
}

/** New tenants, apply, drift: the last leaves its damage behind. */
async function measureChanges(
  url: string,
  request: BenchRequest & { readonly bin: string | null },
): Promise<readonly Figure[]> {
  const { size, runs, say, bin } = request;
  const wider = writeWiderState();
  const target = resolveTarget({ databaseUrl: url, environment: {}, variables: [] });
  const database = await openDatabase(target, { id: 'main', maxSessions: 4 });
  try {
    const how = { url, runs, say };
    const provisioning = provisionCases(url, database, await loadShipped());
    const provisioned = await measureInTurns(provisioning.cases, how);
    await provisioning.drop();
    await vacuumCatalogs(url);
    const applied = await measureInTurns(await applyCases(url, { size, bin, directory: wider.directory }), how);
    await damage(url, size);
    return [...provisioned, ...applied, ...(await measureInTurns([driftPlanCase(size.tenants)], how))];
  } finally {
    await database.close();
    wider.remove();
  }
}

const serverVersion = (url: string): Promise<string> =>
  withClient(url, async (client) => {
    const { rows } = await client.query<{ version: string }>(`SELECT current_setting('server_version') AS version`);
    return rows[0]?.version.split(' ')[0] ?? 'unknown';
  });

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}
