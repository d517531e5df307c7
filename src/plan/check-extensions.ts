import type { CatalogSnapshot } from '../catalog/snapshot.js';
import { compareVersions } from '../compare-versions.js';
import { calledDatabase, type DatabasePlace } from '../database/database-place.js';
import type { DesiredExtension, DesiredState } from '../desired-state/model.js';
import { blocked, type Change, change } from '../diff/change.js';
import { unlocked } from '../diff/step.js';
import { quoteIdentifier } from '../sql/quote.js';
import { name, sql } from '../sql/template.js';
import { TrueupError } from '../trueup-error.js';
import type { Diagnostic } from './fleet-plan.js';
import type { HeldMethod } from './held-methods.js';

/** What one database lacks or has elsewhere of the declared extensions. */
export interface ExtensionCheck {
  readonly changes: readonly Change[];
  readonly diagnostics: readonly Diagnostic[];
  readonly schemas: readonly string[];
}

/**
 * Extensions are made once a database, before any tenant's changes; never dropped, never moved.
 * @throws {TrueupError} EXTENSION_UNAVAILABLE or EXTENSION_TOO_OLD, once, with what an administrator must run.
 */
export function checkExtensions(
  desired: DesiredState,
  snapshot: CatalogSnapshot,
  database: DatabasePlace,
  held: readonly HeldMethod[] = [],
): ExtensionCheck {
  const changes: Change[] = [];
  const diagnostics: Diagnostic[] = [];
  const schemas = new Set<string>();
  const refusal = (extension: DesiredExtension): Refusal => ({
    extension,
    where: `database ${calledDatabase(database)}, phase ${extension.phase}`,
    orElse: desired.phases.some(({ name, backend }) => name === extension.phase && backend !== null)
      ? `; or choose another backend with --backend ${extension.phase}=NAME`
      : '',
  });
  for (const extension of distinct(desired.extensions)) {
    const state = snapshot.extensions.get(extension.name);
    if (state?.installedVersion == null) {
      const refused = held.find((one) => one.extension === extension.name);
      if (refused !== undefined) changes.push(blocked(creation(extension), refused.obstacle, refused.remedy));
      else if (state?.availableVersion == null) throw unavailable(refusal(extension));
      else {
        if (isOlder(state.availableVersion, extension))
          throw tooOldToCreate(refusal(extension), state.availableVersion);
        changes.push(creation(extension));
      }
      if (extension.schema !== null) schemas.add(extension.schema);
    } else {
      if (isOlder(state.installedVersion, extension)) throw tooOld(refusal(extension), state.installedVersion);
      const schema = state.schema ?? 'public';
      schemas.add(schema);
      diagnostics.push(...placement(extension, schema, snapshot, database.id));
    }
    for (const brought of extension.schemas) schemas.add(brought);
  }
  return { changes, diagnostics, schemas: [...schemas] };
}

function distinct(declared: readonly DesiredExtension[]): readonly DesiredExtension[] {
  return [...new Map(declared.map((extension) => [extension.name, extension])).values()];
}

function creation(extension: DesiredExtension): Change {
  const where = extension.schema === null ? sql`` : sql` SCHEMA ${name(extension.schema)}`;
  return change({
    phase: extension.phase,
    action: 'create-extension',
    table: '',
    object: extension.name,
    reason: 'declared, available on the server, not installed',
    // Two runs at once: the second finds it there instead of failing on a duplicate key.
    steps: [unlocked(sql`CREATE EXTENSION IF NOT EXISTS ${name(extension.name)}${where}`)],
  });
}

function placement(
  extension: DesiredExtension,
  schema: string,
  snapshot: CatalogSnapshot,
  database: string,
): readonly Diagnostic[] {
  if (snapshot.bySchema.has(schema) && schema !== extension.schema)
    return [
      {
        severity: 'warning',
        code: 'EXTENSION_IN_TENANT',
        message: `extension ${extension.name} lives in the tenant schema "${schema}": every other tenant's columns and indexes depend on that tenant`,
        remedy: `before that tenant is ever dropped: ALTER EXTENSION ${quoteIdentifier(extension.name)} SET SCHEMA ${quoteIdentifier(extension.schema ?? 'public')}`,
        database,
        schema,
      },
    ];
  if (extension.schema === null || schema === extension.schema) return [];
  return [
    {
      severity: 'warning',
      code: 'EXTENSION_ELSEWHERE',
      message: `extension ${extension.name} lives in schema "${schema}", declared "${extension.schema}": used where it is, never moved or dropped by trueup; a migration of the application that moves it by DROP EXTENSION … CASCADE would drop every column of its types`,
      remedy: `nothing for trueup's sake; see that no migration moves it`,
      database,
      schema: null,
    },
  ];
}

/** An extension for which a plan stops, and what a phase that has backends could do about it. */
interface Refusal {
  readonly extension: DesiredExtension;
  readonly where: string;
  readonly orElse: string;
}

function unavailable({ extension, where, orElse }: Refusal): TrueupError {
  const into = extension.schema === null ? '' : ` SCHEMA ${quoteIdentifier(extension.schema)}`;
  return new TrueupError(
    'EXTENSION_UNAVAILABLE',
    `extension ${extension.name} is neither installed in the database nor available on the server`,
    {
      where,
      remedy: `install its files on the server, then run as an administrator: CREATE EXTENSION ${quoteIdentifier(extension.name)}${into}${orElse}`,
    },
  );
}

function tooOld({ extension, where }: Refusal, installed: string): TrueupError {
  return new TrueupError(
    'EXTENSION_TOO_OLD',
    `extension ${extension.name} is at version ${installed}, ${extension.minVersion} or newer is needed`,
    {
      where,
      remedy: `run as an administrator: ALTER EXTENSION ${quoteIdentifier(extension.name)} UPDATE`,
    },
  );
}

/** Created now, it would be used from the next statement on: found out before, not in the midst of a run. */
function tooOldToCreate({ extension, where, orElse }: Refusal, available: string): TrueupError {
  return new TrueupError(
    'EXTENSION_TOO_OLD',
    `extension ${extension.name} is available on the server at version ${available}, ${extension.minVersion} or newer is needed`,
    {
      where,
      remedy: `install its files of a newer version on the server${orElse}`,
    },
  );
}

const isOlder = (version: string, { minVersion }: DesiredExtension): boolean =>
  minVersion !== null && compareVersions(version, minVersion) < 0;
