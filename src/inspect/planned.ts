import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { discoverTenants } from '../catalog/discover.js';
import type { Database, Session } from '../database/session.js';
import { inTransaction } from '../database/transaction.js';
import { loadDesiredState } from '../desired-state/load.js';
import type { DesiredState } from '../desired-state/model.js';
import type { TenantChange } from '../diff/change.js';
import type { UnreadableTenant } from '../plan/fleet-plan.js';
import { planFleet } from '../plan/plan-fleet.js';
import { unreadableRemedy } from '../plan/unreadable.js';
import { NO_PROGRESS } from '../progress.js';
import { TrueupError } from '../trueup-error.js';
import { selected } from './bare-state.js';
import type { InspectedFile } from './inspection.js';

/** Loads the files as any plan would, and plans the one tenant with them. */
export async function planned(
  database: Database,
  session: Session,
  schema: string,
  files: readonly InspectedFile[],
): Promise<readonly TenantChange[]> {
  const directory = await mkdtemp(join(tmpdir(), 'trueup-inspect-'));
  try {
    for (const { path, text } of files) await writeFile(join(directory, path), text, { mode: 0o600 });
    const desired = await loaded(directory, schema);
    const rule = { ...desired.tenants, exclude: [] };
    const all = { schemas: [], exclude: [], allowEmpty: true, allowAbsent: false };
    const { tenants } = await inTransaction(session, 'read only snapshot', () => discoverTenants(session, rule, all));
    if (!tenants.some((tenant) => tenant.schema === schema))
      throw new Error(`internal: the files do not find schema ${schema}`);
    const request = { desired, selection: selected(schema), allow: new Set<never>(), progress: NO_PROGRESS };
    const plan = await planFleet(database, request, session);
    const [part] = plan.databases;
    const [unreadable] = part?.unreadable ?? [];
    if (unreadable !== undefined) throw unreadableTenant(unreadable);
    return part?.tenants.flatMap((tenant) => tenant.changes) ?? [];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** That the one tenant cannot be read, as the error that ends a command. */
export const unreadableTenant = ({ schema, code, message }: Omit<UnreadableTenant, 'database'>): TrueupError =>
  new TrueupError(code, `schema "${schema}" cannot be read: ${message}`, {
    where: `--schema ${schema}`,
    remedy: unreadableRemedy({ code, message }),
  });

async function loaded(directory: string, schema: string): Promise<DesiredState> {
  try {
    return await loadDesiredState({
      directory,
      environment: {},
      backends: {},
      parameters: {},
      phases: null,
      skipExtensionPhases: false,
    });
  } catch (error) {
    if (!(error instanceof TrueupError)) throw error;
    // The directory is gone when anyone could look there.
    throw new TrueupError('NOT_CONVERGED', `the files that describe the schema do not load: ${error.message}`, {
      where: `--schema ${schema}`,
      remedy: 'the format cannot say something of this schema; please report it',
      cause: error,
    });
  }
}
