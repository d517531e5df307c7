import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as Flags from '@oclif/core/flags';
import { type NamedTarget, resolveTargets, type Target } from '../database/target.js';
import type { LoadOptions } from '../desired-state/load-options.js';
import type { DesiredState } from '../desired-state/model.js';
import { APPROVALS } from '../diff/context.js';
import { TrueupError } from '../trueup-error.js';
import { IN_MEMORY } from './arguments.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where the database is. */
export const targetFlags = {
  'database-url': Flags.string({
    description: 'postgresql://USER@HOST/DATABASE, or pglite://DIR; several as ID=URL [env: TRUEUP_DATABASE_URL]',
    helpValue: '[ID=]URL',
    helpGroup: 'TARGET',
    exclusive: ['embedded'],
    multiple: true,
  }),
  embedded: Flags.string({
    description: 'use the built-in PostgreSQL with its data in DIR; without DIR in memory [env: TRUEUP_EMBEDDED]',
    helpValue: '[DIR]',
    helpGroup: 'TARGET',
  }),
  role: Flags.string({ description: 'set this role in every session', helpValue: 'ROLE', helpGroup: 'TARGET' }),
};

/** Which tenants. */
export const tenantFlags = {
  schema: Flags.string({
    description: 'only this schema; a tenant whatever it holds (repeatable)',
    helpValue: 'NAME',
    helpGroup: 'TENANTS',
    multiple: true,
  }),
  'exclude-schema': Flags.string({
    description: 'leave out schemas that match this LIKE pattern (repeatable)',
    helpValue: 'PATTERN',
    helpGroup: 'TENANTS',
    multiple: true,
  }),
  'allow-empty': Flags.boolean({ description: 'no tenant found is no error', helpGroup: 'TENANTS' }),
};

/** Which desired state, and which part of it. */
export const desiredStateFlags = {
  'desired-state': Flags.string({
    description: 'directory with fleet.yaml; ./desired-state when it has one, else the one in the package',
    helpValue: 'DIR',
    helpGroup: 'DESIRED STATE',
  }),
  backend: Flags.string({
    description: 'the backend of a phase (repeatable)',
    helpValue: 'PHASE=NAME',
    helpGroup: 'DESIRED STATE',
    multiple: true,
  }),
  set: Flags.string({
    description: 'the value of a parameter (repeatable)',
    helpValue: 'PARAM=VALUE',
    helpGroup: 'DESIRED STATE',
    multiple: true,
  }),
  phase: Flags.string({
    description: 'only this phase (repeatable)',
    helpValue: 'NAME',
    helpGroup: 'DESIRED STATE',
    multiple: true,
  }),
  'skip-extension-reconcile': Flags.boolean({
    description: 'leave the extension phases alone',
    helpGroup: 'DESIRED STATE',
  }),
};

/** Approvals. */
export const approvalFlags = {
  allow: Flags.option({
    options: APPROVALS,
    multiple: true,
    description: 'approve changes that are blocked without it (repeatable)',
    helpValue: 'KIND',
    helpGroup: 'APPROVAL',
  })(),
};

/** Whether values out of rows are shown. */
export const showValuesFlags = {
  'show-values': Flags.boolean({ description: 'show values that come from rows, hidden otherwise' }),
};

/** The parsed {@link targetFlags}. */
export interface TargetFlags {
  readonly 'database-url'?: readonly string[] | undefined;
  readonly embedded?: string | undefined;
  readonly role?: string | undefined;
}

/** The targets that flags, variables and fleet.yaml name. */
export function targetsOf(
  flags: TargetFlags,
  environment: Environment,
  desired: Pick<DesiredState, 'connectionVariables' | 'targets'>,
): readonly NamedTarget[] {
  const embedded = flags.embedded === IN_MEMORY ? true : flags.embedded;
  return resolveTargets({
    databaseUrls: flags['database-url'] ?? [],
    embedded,
    environment,
    variables: desired.connectionVariables,
    listed: desired.targets,
  });
}

/**
 * The target of a command that is about one database.
 * @throws {TrueupError} USAGE when several are named
 */
export function targetOf(flags: TargetFlags, environment: Environment, variables: readonly string[]): Target {
  const [only, ...more] = targetsOf(flags, environment, { connectionVariables: variables, targets: [] });
  if (only !== undefined && more.length === 0) return only.target;
  throw new TrueupError('USAGE', 'this command is about one database', { remedy: 'give one --database-url' });
}

/** The parsed {@link desiredStateFlags}. */
export interface DesiredStateFlags {
  readonly 'desired-state'?: string | undefined;
  readonly backend?: readonly string[] | undefined;
  readonly set?: readonly string[] | undefined;
  readonly phase?: readonly string[] | undefined;
  readonly 'skip-extension-reconcile'?: boolean | undefined;
}

/** What the loader is to load. @throws {TrueupError} USAGE when `--backend` or `--set` is not of its form */
export function loadOptionsOf(flags: DesiredStateFlags, environment: Environment): LoadOptions {
  const { backend = [], set = [], phase = [] } = flags;
  return {
    directory: desiredStateDirectory(flags['desired-state']),
    environment,
    backends: assignments(backend, '--backend', 'PHASE=NAME'),
    parameters: assignments(set, '--set', 'PARAM=VALUE'),
    phases: phase.length === 0 ? null : phase,
    skipExtensionPhases: flags['skip-extension-reconcile'] === true,
  };
}

/** The directory given, else `./desired-state` when it has a fleet.yaml, else the one that the package ships. */
export function desiredStateDirectory(given: string | undefined): string {
  if (given !== undefined) return resolve(given);
  const local = resolve('desired-state');
  return existsSync(join(local, 'fleet.yaml')) ? local : fileURLToPath(new URL('../../desired-state', import.meta.url));
}

/** Words of the form `NAME=VALUE`, by name. @throws {TrueupError} USAGE for another form, and for two values of one name */
export function assignments(words: readonly string[], flag: string, form: string): Readonly<Record<string, string>> {
  const values = new Map<string, string>();
  for (const word of words) {
    const equals = word.indexOf('=');
    const name = word.slice(0, equals);
    if (equals < 1) {
      throw new TrueupError('USAGE', `${flag} ${word} is not of the form ${form}`, { remedy: `write ${flag} ${form}` });
    }
    const value = word.slice(equals + 1);
    if (values.has(name) && values.get(name) !== value) {
      throw new TrueupError('USAGE', `${flag} gives ${name} two values`, { remedy: 'give one of them' });
    }
    values.set(name, value);
  }
  return Object.fromEntries(values);
}
