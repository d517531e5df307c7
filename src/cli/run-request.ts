import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as Flags from '@oclif/core/flags';
import { checkDesiredState } from '../apply/saved-plan.js';
import type { TenantSelection } from '../catalog/discover.js';
import { loadDesiredState } from '../desired-state/load.js';
import type { LoadOptions } from '../desired-state/load-options.js';
import type { Approval } from '../diff/context.js';
import type { ApprovedState, PlanFile } from '../plan/plan-file.js';
import type { PlanRequest } from '../plan/request.js';
import type { Progress } from '../progress.js';
import { TrueupError } from '../trueup-error.js';
import { variableOf } from './arguments.js';
import {
  approvalFlags,
  type DesiredStateFlags,
  desiredStateDirectory,
  desiredStateFlags,
  loadOptionsOf,
  tenantFlags,
} from './flags.js';
import { shardFlags, shardSelection } from './run-flags.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** All that shapes a plan: what plan and apply share, and what a saved plan answers instead. */
export const requestFlags = {
  ...tenantFlags,
  ...shardFlags,
  'create-schema': Flags.boolean({
    description: 'make the schemas named by --schema that do not exist',
    dependsOn: ['schema'],
    helpGroup: 'TENANTS',
  }),
  ...desiredStateFlags,
  ...approvalFlags,
};

/** The parsed {@link requestFlags}. */
export interface RequestFlags extends DesiredStateFlags {
  readonly schema?: readonly string[] | undefined;
  readonly 'exclude-schema'?: readonly string[] | undefined;
  readonly 'allow-empty'?: boolean | undefined;
  readonly shard?: string | undefined;
  readonly 'create-schema'?: boolean | undefined;
  readonly allow?: readonly Approval[] | undefined;
}

/**
 * What flags and variables ask for. Touches no database.
 * @throws {TrueupError} for flags that contradict each other, and for files that do not validate
 */
export async function requestOf(
  flags: RequestFlags,
  environment: Environment,
  progress: Progress,
): Promise<PlanRequest> {
  refuseHalfTenants(flags);
  const selection = {
    schemas: flags.schema ?? [],
    exclude: flags['exclude-schema'] ?? [],
    allowEmpty: flags['allow-empty'] === true,
    allowAbsent: flags['create-schema'] === true,
    ...shardSelection(flags),
  };
  return loaded(loadOptionsOf(flags, environment), selection, new Set(flags.allow), progress);
}

/**
 * What a saved plan asked for. Touches no database.
 * @throws {TrueupError} USAGE for a flag that the file answers, PLAN_FILE_MISMATCH for another desired state
 */
export async function savedRequestOf(
  file: PlanFile,
  flags: RequestFlags,
  environment: Environment,
  progress: Progress,
): Promise<PlanRequest> {
  const { asked, desiredState } = file.approved;
  const { schemas, exclude, shard, allow } = asked;
  const options = savedOptions(desiredState, directoryOf(file, flags['desired-state']), environment);
  const alternatives = Object.fromEntries(
    Object.entries(desiredState.backends).map(([phase, { resolved }]) => [phase, resolved] as const),
  );
  const resolved = await loadDesiredState({ ...options, alternatives });
  checkDesiredState(file, resolved.digest, options.directory);
  // Tenants that are gone since are told apart from the plan's others, and are no error of the whole run.
  const selection = { schemas, exclude, allowEmpty: true, allowAbsent: true, ...(shard === null ? {} : { shard }) };
  return loaded(options, selection, new Set(allow), progress);
}

/**
 * Refuses what a plan file says itself.
 * @throws {TrueupError} USAGE
 */
export function refuseBesideFile(flags: RequestFlags): void {
  const asked = { ...flags, 'desired-state': undefined } as const;
  const names = Object.keys(requestFlags).filter((name) => {
    const value = asked[name as keyof RequestFlags];
    return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
  });
  const [first] = names;
  if (first === undefined) return;
  const list = names.map((name) => `--${name}`).join(', ');
  throw new TrueupError('USAGE', `${list} cannot be used with a plan file, which says what was approved`, {
    remedy: `leave out ${list} (and unset ${variableOf(first)}), or make a new plan with it`,
  });
}

async function loaded(
  options: LoadOptions,
  selection: TenantSelection,
  allow: ReadonlySet<Approval>,
  progress: Progress,
): Promise<PlanRequest> {
  return {
    desired: await loadDesiredState(options),
    reload: (changes) => loadDesiredState({ ...options, ...changes }),
    selection,
    allow,
    progress,
  };
}

/** The values that the plan was made with, from wherever they came: none is read from this run's variables. */
function savedOptions(state: ApprovedState, directory: string, environment: Environment): LoadOptions {
  const { backends, parameters, phases, skippedPhases, baseSchema } = state;
  const backendsFrom = (source: string) =>
    Object.fromEntries(
      Object.entries(backends).flatMap(([phase, one]) => (one.source === source ? [[phase, one.value] as const] : [])),
    );
  const parametersFrom = (source: string) =>
    Object.fromEntries(
      Object.entries(parameters).flatMap(([name, one]) =>
        one.source === source ? [[name, one.value ?? ''] as const] : [],
      ),
    );
  return {
    directory,
    environment,
    backends: backendsFrom('flag'),
    parameters: Object.fromEntries(Object.entries(parametersFrom('flag')).map(([name, value]) => [name, `${value}`])),
    phases: skippedPhases.length === 0 ? null : phases,
    skipExtensionPhases: false,
    recorded: { backends: backendsFrom('environment'), parameters: parametersFrom('environment'), baseSchema },
  };
}

/** The plan may have been made on another machine: its digest, not its place, tells whether these are its files. */
function directoryOf(file: PlanFile, given: string | undefined): string {
  if (given !== undefined) return desiredStateDirectory(given);
  return existsSync(join(file.directory, 'fleet.yaml')) ? file.directory : desiredStateDirectory(undefined);
}

/** A schema that is made without some of its phases would lack their columns. */
function refuseHalfTenants(flags: RequestFlags): void {
  if (flags['create-schema'] !== true) return;
  const skips = flags['skip-extension-reconcile'] === true;
  if (!skips && (flags.phase ?? []).length === 0) return;
  const partial = skips ? '--skip-extension-reconcile' : '--phase';
  throw new TrueupError('USAGE', `--create-schema cannot be used with ${partial}: its tables would lack columns`, {
    remedy: `leave out ${partial} when you make a tenant`,
  });
}
