import { fileURLToPath } from 'node:url';
import { applyFleet } from '../../src/apply/apply-fleet.js';
import type { FleetOutcome } from '../../src/apply/fleet-outcome.js';
import { type ApplyRequest, runDefaults } from '../../src/apply/request.js';
import { openDatabase } from '../../src/database/open-database.js';
import type { Database, StatementObserver } from '../../src/database/session.js';
import { resolveTarget } from '../../src/database/target.js';
import { loadDesiredState } from '../../src/desired-state/load.js';
import type { LoadOptions } from '../../src/desired-state/load-options.js';
import type { DesiredState } from '../../src/desired-state/model.js';
import type { Change, TenantChange } from '../../src/diff/change.js';
import type { Approval } from '../../src/diff/context.js';
import type { FleetPlan } from '../../src/plan/fleet-plan.js';
import { planFleet } from '../../src/plan/plan-fleet.js';
import type { PlanRequest } from '../../src/plan/request.js';
import { NO_PROGRESS } from '../../src/progress.js';

/** The desired state that the package ships. */
export const SHIPPED = fileURLToPath(new URL('../../desired-state', import.meta.url));

/** What a test may vary. Everything else as a bare `trueup plan` has it. */
export interface FleetOptions {
  readonly directory?: string;
  readonly load?: Partial<LoadOptions>;
  readonly schemas?: readonly string[];
  readonly exclude?: readonly string[];
  readonly allow?: readonly Approval[];
  readonly allowEmpty?: boolean;
  readonly createSchema?: boolean;
  readonly concurrency?: number;
  /** What of the run differs from the defaults: limits, canaries, a control … */
  readonly run?: Partial<Omit<ApplyRequest, keyof PlanRequest>>;
}

/** One database under the library, with every statement that was sent to it. */
export interface FleetUnderTest {
  readonly database: Database;
  /** Statements since the last {@link forget}, as sent. */
  readonly statements: readonly string[];
  /** The same with their parameters. */
  readonly sent: readonly Parameters<StatementObserver>[0][];
  forget(): void;
  /** Forgets, and ends what earlier sessions left to the next: in it a plan would begin by one statement less. */
  anew(): Promise<void>;
  plan(options?: FleetOptions): Promise<FleetPlan>;
  /** Applies a plan made with the same options; without one, plans first. */
  apply(options?: FleetOptions, planned?: FleetPlan): Promise<FleetOutcome>;
  /** Makes converged tenants, with the given desired state. */
  provision(schemas: readonly string[], options?: FleetOptions): Promise<void>;
  close(): Promise<void>;
}

/** Opens the library on a server's database (a URL), or on an embedded one in memory (`null`). */
export async function openFleet(url: string | null): Promise<FleetUnderTest> {
  const statements: string[] = [];
  const sent: Parameters<StatementObserver>[0][] = [];
  const target =
    url === null
      ? resolveTarget({ embedded: true, environment: {}, variables: [] })
      : resolveTarget({ databaseUrl: url, environment: {}, variables: [] });
  const database = await openDatabase(target, {
    id: 'main',
    maxSessions: 4,
    observe: (statement) => {
      statements.push(statement.sql);
      sent.push(statement);
    },
  });
  const forget = () => {
    statements.splice(0);
    sent.splice(0);
  };
  const plan = async (options: FleetOptions = {}) => planFleet(database, await requestOf(options));
  const apply = async (options: FleetOptions = {}, planned?: FleetPlan) => {
    const request = await requestOf(options);
    return applyFleet(database, planned ?? (await planFleet(database, request)), request);
  };
  return {
    database,
    statements,
    sent,
    forget,
    async anew() {
      while (database.spare > 0) await (await database.connect()).close();
      forget();
    },
    plan,
    apply,
    provision: async (schemas, options = {}) => {
      const outcome = await apply({ ...options, schemas, createSchema: true });
      const bad = outcome.tenants.filter((tenant) => tenant.outcome !== 'converged');
      if (bad.length > 0)
        throw new Error(
          `provisioning failed: ${JSON.stringify(bad.map((one) => [one.schema, one.outcome, one.error]))}`,
        );
    },
    close: () => database.close(),
  };
}

/**
 * Loads a desired state as a command would, with an empty environment. The shipped files do not change under a test: they
 * are read once for each set of options, since every plan of a test would take a third of its time for them.
 */
export function loadShipped(options: FleetOptions = {}): Promise<DesiredState> {
  const asked: LoadOptions = {
    directory: options.directory ?? SHIPPED,
    environment: {},
    backends: {},
    parameters: {},
    phases: null,
    skipExtensionPhases: false,
    ...options.load,
  };
  if (asked.directory !== SHIPPED) return loadDesiredState(asked);
  const key = JSON.stringify(asked);
  const loading = loaded.get(key) ?? loadDesiredState(asked);
  loaded.set(key, loading);
  return loading;
}
const loaded = new Map<string, Promise<DesiredState>>();

/** `action table.object status` of every change of a tenant: what most tests look at. */
export function changesOf(plan: FleetPlan, schema: string): readonly string[] {
  return itemsOf(plan, schema).map(({ change }) => summary(change));
}

/** A tenant's changes, whole. */
export function itemsOf(plan: FleetPlan, schema: string): readonly TenantChange[] {
  const tenant = plan.databases.flatMap((database) => database.tenants).find((one) => one.schema === schema);
  if (tenant === undefined) throw new Error(`schema ${schema} is not in the plan`);
  return tenant.changes;
}

export const summary = (change: Change): string => `${change.action} ${change.table}.${change.object} ${change.status}`;

async function requestOf(options: FleetOptions): Promise<ApplyRequest> {
  return {
    desired: await loadShipped(options),
    reload: (changes) => loadShipped({ ...options, load: { ...options.load, ...changes } }),
    selection: {
      schemas: options.schemas ?? [],
      exclude: options.exclude ?? [],
      allowEmpty: options.allowEmpty ?? false,
      allowAbsent: options.createSchema ?? false,
    },
    allow: new Set(options.allow ?? []),
    progress: NO_PROGRESS,
    ...runDefaults(),
    concurrency: options.concurrency ?? 4,
    ...options.run,
  };
}
