import type { CatalogSnapshot } from '../catalog/snapshot.js';
import { compareVersions } from '../compare-versions.js';
import type { DesiredExtension } from '../desired-state/model.js';
import { blocked, type Change, change } from '../diff/change.js';
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
  declared: readonly DesiredExtension[],
  snapshot: CatalogSnapshot,
  database: string,
  held: readonly HeldMethod[] = [],
): ExtensionCheck {
  const changes: Change[] = [];
  const diagnostics: Diagnostic[] = [];
  const schemas = new Set<string>();
  for (const extension of distinct(declared)) {
    const state = snapshot.extensions.get(extension.name);
    if (state?.installedVersion == null) {
      const refused = held.find((one) => one.extension === extension.name);
      if (refused !== undefined) changes.push(blocked(creation(extension), refused.obstacle, refused.remedy));
      else if (state?.availableVersion == null) throw unavailable(extension, database);
      else {
        if (isOlder(state.availableVersion, extension))
          throw tooOldToCreate(extension, state.availableVersion, database);
        changes.push(creation(extension));
      }
      if (extension.schema !== null) schemas.add(extension.schema);
    } else {
      if (isOlder(state.installedVersion, extension)) throw tooOld(extension, state.installedVersion, database);
      const schema = state.schema ?? 'public';
      schemas.add(schema);
      diagnostics.push(...placement(extension, schema, snapshot, database));
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
    steps: [
      {
        // Two runs at once: the second finds it there instead of failing on a duplicate key.
        sql: sql`CREATE EXTENSION IF NOT EXISTS ${name(extension.name)}${where}`,
        mode: 'transaction',
        lock: { mode: 'NONE', table: null },
      },
    ],
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

function unavailable(extension: DesiredExtension, database: string): TrueupError {
  const into = extension.schema === null ? '' : ` SCHEMA ${quoteIdentifier(extension.schema)}`;
  return new TrueupError(
    'EXTENSION_UNAVAILABLE',
    `extension ${extension.name} is neither installed in the database nor available on the server`,
    {
      where: `database ${database}, phase ${extension.phase}`,
      remedy: `install its files on the server, then run as an administrator: CREATE EXTENSION ${quoteIdentifier(extension.name)}${into}; or choose another backend with --backend ${extension.phase}=NAME`,
    },
  );
}

function tooOld(extension: DesiredExtension, installed: string, database: string): TrueupError {
  return new TrueupError(
    'EXTENSION_TOO_OLD',
    `extension ${extension.name} is at version ${installed}, ${extension.minVersion} or newer is needed`,
    {
      where: `database ${database}, phase ${extension.phase}`,
      remedy: `run as an administrator: ALTER EXTENSION ${quoteIdentifier(extension.name)} UPDATE`,
    },
  );
}

/** Created now, it would be used from the next statement on: found out before, not in the midst of a run. */
function tooOldToCreate(extension: DesiredExtension, available: string, database: string): TrueupError {
  return new TrueupError(
    'EXTENSION_TOO_OLD',
    `extension ${extension.name} is available on the server at version ${available}, ${extension.minVersion} or newer is needed`,
    {
      where: `database ${database}, phase ${extension.phase}`,
      remedy: `install its files of a newer version on the server; or choose another backend with --backend ${extension.phase}=NAME`,
    },
  );
}

const isOlder = (version: string, { minVersion }: DesiredExtension): boolean =>
  minVersion !== null && compareVersions(version, minVersion) < 0;
