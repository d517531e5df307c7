import { closest, shown, suggestion } from '../did-you-mean.js';
import type { BackendFiles } from './backends.js';
import { namesOf, unknownBackend } from './backends.js';
import type { FleetDocument, PhaseDocument } from './documents.js';
import type { Fragment } from './fragments.js';
import { type LoadOptions, own } from './load-options.js';
import type { DesiredTable, Override, ReleaseRule, TenantRule } from './model.js';
import { overrideValue } from './parameters.js';
import type { Problems } from './problems.js';
import { keyAt, type Place, valueAt, within } from './yaml-file.js';

const WAYS = ['having_tables', 'schemas', 'like', 'query'] as const;

/** How tenants are found. */
export function tenantRule(
  document: FleetDocument,
  root: Place,
  options: LoadOptions,
  fragments: Fragment[],
  problems: Problems,
): TenantRule {
  const { tenants } = document;
  const place = within(root, 'tenants');
  const ways = WAYS.filter((way) => tenants[way] !== undefined);
  if (ways.length !== 1) {
    const message =
      ways.length === 0 ? 'tenants does not say how tenants are found' : `tenants says ${ways.join(' and ')}`;
    problems.invalid(message, valueAt(place), `give exactly one of ${WAYS.join(', ')}`);
  }
  if (tenants.query !== undefined) {
    fragments.push({
      kind: 'query',
      text: tenants.query,
      place: within(place, 'query'),
      evaluated: false,
      sourceOffset: (offset) => offset,
    });
  }
  const base = tenants.base_schema;
  const variable = typeof base === 'object' && base.env !== undefined ? own(options.environment, base.env) : undefined;
  const fallback = typeof base === 'object' ? base.default : base;
  return {
    baseSchema:
      options.recorded === undefined
        ? ((variable === undefined || variable === '' ? fallback : variable) ?? null)
        : options.recorded.baseSchema,
    havingTables: tenants.having_tables ?? null,
    schemas: tenants.schemas ?? null,
    like: tenants.like ?? null,
    query: tenants.query ?? null,
    exclude: tenants.exclude ?? [],
  };
}

/** The application's own stamp. */
export function releaseRule(document: FleetDocument): ReleaseRule | null {
  const { release } = document;
  return release === undefined
    ? null
    : { table: release.table, column: release.column, accepts: release.accepts.map(String) };
}

/**
 * A stamp that is looked for where none can stand counts as none, and then every tenant is accepted. The table may be one
 * that no file declares, unless its name is nearly that of one which is declared.
 */
export function checkRelease(
  { release }: FleetDocument,
  root: Place,
  tables: readonly DesiredTable[],
  problems: Problems,
): void {
  if (release === undefined) return;
  const table = tables.find(({ name }) => name === release.table);
  if (table === undefined) {
    const names = tables.map(({ name }) => name);
    const message = `the release is to stand in the table ${shown(release.table)}, which no file declares`;
    if (closest(release.table, names) !== null)
      problems.invalid(message, valueAt(within(root, 'release', 'table')), suggestion(release.table, names));
  } else if (table.kind === 'table' && !table.columns.some(({ name }) => name === release.column)) {
    const names = table.columns.map(({ name }) => name);
    const message = `the release is to stand in the column ${shown(release.column)}, which ${shown(table.name)} does not have`;
    problems.invalid(message, valueAt(within(root, 'release', 'column')), suggestion(release.column, names));
  }
}

/** The overrides, each backend known and each value in its parameter's type. */
export function readOverrides(
  document: FleetDocument,
  root: Place,
  backends: ReadonlyMap<string, BackendFiles>,
  problems: Problems,
): readonly Override[] {
  return (document.overrides ?? []).map((override, index) => {
    const place = within(root, 'overrides', index);
    for (const [phase, backend] of Object.entries(override.backends ?? {})) {
      const at = within(place, 'backends', phase);
      const files = backends.get(phase);
      if (files === undefined) {
        problems.invalid(
          `there is no phase ${shown(phase)} with backends`,
          keyAt(at),
          suggestion(phase, backends.keys()),
        );
      } else if (!files.has(backend) && !files.refused.has(backend)) {
        unknownBackend(backend, phase, namesOf(files), valueAt(at), problems);
      }
    }
    const parameters = Object.entries(override.parameters ?? {}).flatMap(([name, raw]) => {
      const value = overrideValue(name, document, raw, within(place, 'parameters', name), problems);
      return value === null ? [] : [[name, value] as const];
    });
    return { schemas: override.schemas, backends: override.backends ?? {}, parameters: Object.fromEntries(parameters) };
  });
}

/** The phases of this run by the flags; what the flags name must exist. */
export function selectedPhases(document: FleetDocument, options: LoadOptions, problems: Problems): ReadonlySet<string> {
  const names = document.phases.map((phase) => phase.name);
  for (const name of options.phases ?? []) {
    if (!names.includes(name))
      problems.add('USAGE', `there is no phase ${shown(name)}`, `--phase ${name}`, suggestion(name, names));
  }
  const selected = document.phases.filter(
    (phase) =>
      (options.phases === null || options.phases.includes(phase.name)) &&
      !(options.skipExtensionPhases && phase.extension === true),
  );
  if (selected.length === 0 && !problems.any) {
    problems.add('USAGE', 'the flags leave no phase to reconcile', null, `phases: ${names.join(', ')}`);
  }
  const withBackends = document.phases.filter((phase) => phase.backends !== undefined).map((phase) => phase.name);
  for (const name of Object.keys(options.backends)) {
    if (!withBackends.includes(name)) {
      problems.add(
        'USAGE',
        `there is no phase ${shown(name)} with backends`,
        `--backend ${name}=…`,
        suggestion(name, withBackends),
      );
    }
  }
  return new Set(selected.map((phase) => phase.name));
}

/** Notes LIKE patterns that the server refuses to match by, in the midst of looking for tenants. */
export function checkPatterns(
  { tenants, phases, overrides = [] }: FleetDocument,
  root: Place,
  problems: Problems,
): void {
  const check = (patterns: readonly string[] | undefined, ...path: readonly (string | number)[]): void => {
    for (const [index, pattern] of (patterns ?? []).entries()) {
      if (!/(?<!\\)(?:\\\\)*\\$/u.test(pattern)) continue;
      const at = within(root, ...path);
      problems.invalid(
        `the pattern ${shown(pattern)} ends in a backslash, with nothing behind it to escape`,
        valueAt(path.at(-1) === 'like' ? at : within(at, index)),
        'double it, or remove it',
      );
    }
  };
  check(tenants.like === undefined ? [] : [tenants.like], 'tenants', 'like');
  check(tenants.exclude, 'tenants', 'exclude');
  for (const [index, { keep }] of phases.entries()) check(keep, 'phases', index, 'keep');
  for (const [index, { schemas }] of overrides.entries()) check(schemas, 'overrides', index, 'schemas');
}

/** Notes phases of one name, and of one file. Gives those that repeat another: all that they declare would be an error too. */
export function repeatedPhases(document: FleetDocument, root: Place, problems: Problems): ReadonlySet<PhaseDocument> {
  const repeated = new Set<PhaseDocument>();
  const check = (key: 'name' | 'file', message: (value: string) => string, remedy: string): void => {
    const seen = new Set<string>();
    for (const [index, phase] of document.phases.entries()) {
      const value = phase[key];
      if (value === undefined || repeated.has(phase)) continue;
      if (seen.has(value)) {
        problems.invalid(message(value), valueAt(within(root, 'phases', index, key)), remedy);
        repeated.add(phase);
      }
      seen.add(value);
    }
  };
  check('name', (name) => `two phases are named ${shown(name)}`, 'remove one, or rename it');
  check('file', (file) => `two phases have the file ${shown(file)}`, 'give each a file of its own');
  return repeated;
}
