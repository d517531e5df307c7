import type { TenantSelection } from '../catalog/discover.js';
import type { DesiredExtension, DesiredState, TenantRule } from '../desired-state/model.js';
import type { NeededExtensionRow } from './needed-query.js';
import type { RelationRow } from './relations-query.js';

/** The rule under which one schema is the only tenant. */
export const ruleOf = (schema: string): TenantRule => ({
  baseSchema: null,
  havingTables: null,
  schemas: [schema],
  like: null,
  query: null,
  exclude: [],
});

/** The selection of one schema. */
export const selected = (schema: string): TenantSelection => ({
  schemas: [schema],
  exclude: [],
  allowEmpty: false,
  allowAbsent: false,
});

/** A desired state that names the tables and declares nothing: what introspection needs to read them. */
export function bareState(
  schema: string,
  relations: readonly RelationRow[],
  extensions: readonly DesiredExtension[],
): DesiredState {
  return {
    directory: '',
    digest: '',
    connectionVariables: [],
    targets: [],
    tenants: ruleOf(schema),
    release: null,
    migrationLock: null,
    phases: [
      {
        name: 'base',
        extension: false,
        selected: true,
        backend: null,
        owns: null,
        keep: [],
        searchPath: [],
        buildSettings: {},
        limits: {},
      },
    ],
    parameters: {},
    tables: relations.map(({ name, relkind }) => ({
      name,
      phase: 'base',
      kind: relkind === 'm' ? 'materialized-view' : 'table',
      persistence: 'permanent',
      columns: [],
      constraints: [],
      indexes: [],
      families: [],
      view: null,
      source: NOWHERE,
    })),
    extensions,
    probes: [],
    overrides: [],
  };
}

const NOWHERE = { file: 'base.yaml', line: 1, column: 1 };

/** What an extension needs comes before it. */
export function inOrder(rows: readonly NeededExtensionRow[]): readonly DesiredExtension[] {
  const byName = new Map(rows.map((row) => [row.name, row]));
  const ordered = new Map<string, NeededExtensionRow>();
  const visit = (row: NeededExtensionRow, above: readonly string[]): void => {
    if (ordered.has(row.name) || above.includes(row.name)) return;
    for (const name of row.requires) {
      const required = byName.get(name);
      if (required !== undefined) visit(required, [...above, row.name]);
    }
    ordered.set(row.name, row);
  };
  for (const row of rows) visit(row, []);
  return [...ordered.values()].map(({ name, schema, schemas }) => ({
    name,
    phase: 'base',
    schema,
    preload: null,
    minVersion: null,
    schemas: schemas.filter((brought) => brought !== schema),
    source: NOWHERE,
  }));
}
