import { shown, suggestion } from '../did-you-mean.js';
import type { IndexDocument, PhaseDocument, TablesDocument } from './documents.js';
import { writtenNamePattern } from './family-names.js';
import { type LoadOptions, own } from './load-options.js';
import type { DesiredPhase, ResolvedBackend, ValueSource } from './model.js';
import type { Problems } from './problems.js';
import { methodOf } from './read-indexes.js';
import { type Place, valueAt, within, type YamlFile } from './yaml-file.js';

/** A phase's or backend's file that the schema has accepted. */
export interface TablesFile {
  readonly file: YamlFile;
  readonly document: TablesDocument;
}

/** Backends of a phase by name. */
export interface BackendFiles extends ReadonlyMap<string, TablesFile> {
  /** Those whose files cannot be used, which has been said: that there is none of the name would be untrue. */
  readonly refused: ReadonlySet<string>;
}

/** All that a phase has files for. */
export const namesOf = (files: BackendFiles): readonly string[] => [...files.keys(), ...files.refused];

/**
 * Which backend a phase runs: flag, else override, else environment, else default, and of its alternatives the one that
 * the database resolved to. Null, with the problem noted, when there is no such backend.
 */
export function resolveBackend(
  phase: PhaseDocument,
  files: BackendFiles,
  place: Place,
  options: LoadOptions,
  problems: Problems,
): ResolvedBackend | null {
  const chosen = choose(phase, options);
  if (chosen === null) return null;
  if (files.refused.has(chosen.value)) return null;
  if (!files.has(chosen.value)) {
    const where = chosen.where ?? valueAt(within(place, 'select', 'default'));
    unknownBackend(chosen.value, phase.name, namesOf(files), where, problems);
    return null;
  }
  const alternatives = inOrder(chosen.value, files);
  const resolved = own(options.alternatives, phase.name) ?? chosen.value;
  if (!alternatives.includes(resolved)) {
    unknownBackend(resolved, phase.name, alternatives, `alternative of ${chosen.value}`, problems);
    return null;
  }
  const known = [...files].map(([name, { document }]) => ({
    name,
    methods: methodsOf(document, phase),
    families: familiesOf(document),
  }));
  return { value: chosen.value, source: chosen.source, alternatives, resolved, known };
}

/** Notes that a phase has no backend of that name, and which ones it has. */
export function unknownBackend(
  name: string,
  phase: string,
  known: Iterable<string>,
  where: Parameters<Problems['add']>[2],
  problems: Problems,
): void {
  const all = [...known].sort();
  const near = suggestion(name, all);
  const list = `backends of ${phase}: ${all.join(', ') || 'none'}`;
  problems.add(
    'UNKNOWN_BACKEND',
    `phase ${phase} has no backend ${shown(name)}`,
    where,
    near.startsWith('did') ? `${near} ${list}` : list,
  );
}

/** Notes alternatives that do not exist, and those that lead back to where they started. */
export function checkAlternatives(phase: string, files: BackendFiles, problems: Problems): void {
  for (const [name, { file, document }] of files) {
    for (const [index, alternative] of (document.alternatives ?? []).entries()) {
      const where = file.position(['alternatives', index]);
      if (files.refused.has(alternative)) continue;
      if (!files.has(alternative)) unknownBackend(alternative, phase, namesOf(files), where, problems);
      else if (reachable(alternative, files).has(name)) {
        problems.invalid(
          `the alternatives of ${name} lead back to it through ${alternative}`,
          where,
          'break the cycle',
        );
      }
    }
  }
}

/** Notes limits on parameters that are not declared integers. */
export function checkLimitNames(files: Iterable<TablesFile>, integers: readonly string[], problems: Problems): void {
  for (const { file, document } of files) {
    for (const name of Object.keys(document.limits ?? {})) {
      if (integers.includes(name)) continue;
      problems.invalid(
        `there is no integer parameter ${shown(name)}`,
        file.position(['limits', name], 'key'),
        suggestion(name, integers),
      );
    }
  }
}

/** Why a backend cannot take a value, or null. */
export function limitProblem(document: TablesDocument, parameter: string, value: number): string | null {
  const limit = own(document.limits, parameter);
  if (limit?.maximum !== undefined && value > limit.maximum) return `at most ${limit.maximum}`;
  return limit?.minimum !== undefined && value < limit.minimum ? `at least ${limit.minimum}` : null;
}

/** A backend's limits as the model has them. */
export const limitsOf = (document: TablesDocument): DesiredPhase['limits'] =>
  Object.fromEntries(
    Object.entries(document.limits ?? {}).map(([name, limit]) => [
      name,
      { minimum: limit.minimum ?? null, maximum: limit.maximum ?? null },
    ]),
  );

function choose(
  phase: PhaseDocument,
  options: LoadOptions,
): { readonly value: string; readonly source: ValueSource; readonly where: string | null } | null {
  const flag = own(options.backends, phase.name);
  if (flag !== undefined) return { value: flag, source: 'flag', where: `--backend ${phase.name}=${flag.slice(0, 60)}` };
  const override = own(options.backendOverrides, phase.name);
  if (override !== undefined)
    return { value: override, source: 'override', where: `overrides, backend of ${phase.name}` };
  const variable = phase.select?.env;
  const recorded = own(options.recorded?.backends, phase.name);
  if (recorded !== undefined)
    return { value: recorded, source: 'environment', where: `saved plan, backend of ${phase.name}` };
  const read = variable !== undefined && options.recorded === undefined;
  const value = read ? own(options.environment, variable) : undefined;
  if (value !== undefined && value !== '')
    return { value, source: 'environment', where: `environment variable ${variable}` };
  return phase.select === undefined ? null : { value: phase.select.default, source: 'default', where: null };
}

function inOrder(name: string, files: BackendFiles, before: readonly string[] = []): readonly string[] {
  if (before.includes(name) || !files.has(name)) return before;
  let order: readonly string[] = [...before, name];
  for (const alternative of files.get(name)?.document.alternatives ?? []) order = inOrder(alternative, files, order);
  return order;
}

function reachable(name: string, files: BackendFiles): ReadonlySet<string> {
  return new Set(inOrder(name, files));
}

/** All that a file says of indexes and families, as written. */
export const indexesIn = ({
  tables = {},
  materialized_views: views = {},
}: TablesDocument): readonly IndexDocument[] => [
  ...Object.values(tables).flatMap((table) => [...(table.indexes ?? []), ...(table.index_families ?? [])]),
  ...Object.values(views).flatMap((view) => view.indexes ?? []),
];

function methodsOf(document: TablesDocument, phase: PhaseDocument): ResolvedBackend['known'][number]['methods'] {
  const methods = indexesIn(document).map((index) => methodOf(index.method));
  const owned = methods.filter((method) => phase.owns === undefined || phase.owns.methods.includes(method.name));
  return [...new Map(owned.map((method) => [`${method.extension ?? ''}/${method.name}`, method])).values()];
}

function familiesOf(document: TablesDocument): ResolvedBackend['known'][number]['families'] {
  return Object.entries(document.tables ?? {}).flatMap(([table, { index_families }]) =>
    (index_families ?? []).map((family) => ({ table, label: family.name, pattern: writtenNamePattern(family) })),
  );
}
