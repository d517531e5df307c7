import { onlyPhases, uniteExtensions, uniteTables } from './assemble.js';
import {
  type BackendFiles,
  checkAlternatives,
  checkLimitNames,
  limitProblem,
  limitsOf,
  resolveBackend,
  type TablesFile,
} from './backends.js';
import { checkExpressions } from './check-expressions.js';
import { checkMethods } from './check-methods.js';
import { checkMoments } from './check-moments.js';
import { checkNames } from './check-names.js';
import { checkProbes } from './check-probes.js';
import { checkReferences } from './check-references.js';
import { digestOf } from './digest.js';
import type { PhaseDocument } from './documents.js';
import { FileReadings } from './file-readings.js';
import type { DesiredStateFiles } from './files.js';
import {
  checkPatterns,
  checkRelease,
  readOverrides,
  releaseRule,
  repeatedPhases,
  selectedPhases,
  tenantRule,
} from './fleet-rules.js';
import { checkFragments, type Fragment } from './fragments.js';
import type { LoadOptions } from './load-options.js';
import { checkMigrationLockColumns, migrationLockRule } from './migration-lock-rule.js';
import type { DesiredPhase, DesiredState, ResolvedBackend } from './model.js';
import { type Parameters, resolveParameters } from './parameters.js';
import type { Problems } from './problems.js';
import type { FileContent } from './read-tables.js';
import { refuseSecretVariables } from './secret-variables.js';
import { targetRules } from './target-rules.js';
import type { Place } from './yaml-file.js';

interface PhaseState {
  readonly phase: PhaseDocument;
  readonly backend: ResolvedBackend | null;
  /** The file in use: the phase's own, or its backend's. */
  readonly use: TablesFile | null;
}

/**
 * Fills in the values that the options give and puts the phases together. What is wrong is noted, not thrown.
 * @param readings of other resolutions with the same parameters
 */
export async function resolveState(
  files: DesiredStateFiles,
  options: LoadOptions,
  problems: Problems,
  readings = new FileReadings(),
): Promise<DesiredState> {
  const { state, digest } = await resolution(files, options, problems, readings);
  return { ...state, digest: digest() };
}

/** Notes what is wrong, as {@link resolveState} does. */
export async function checkState(
  files: DesiredStateFiles,
  options: LoadOptions,
  problems: Problems,
  readings: FileReadings,
): Promise<void> {
  await resolution(files, options, problems, readings);
}

interface Resolution {
  readonly state: Omit<DesiredState, 'digest'>;
  readonly digest: () => string;
}

async function resolution(
  files: DesiredStateFiles,
  options: LoadOptions,
  problems: Problems,
  readings: FileReadings,
): Promise<Resolution> {
  const { fleet } = files;
  const root: Place = { file: files.fleetFile, path: [] };
  const fragments: Fragment[] = [];
  const repeated = repeatedPhases(fleet, root, problems);
  checkPatterns(fleet, root, problems);
  const selected = selectedPhases(fleet, options, problems);
  refuseSecretVariables(fleet, root, options, problems);
  const parameters = resolveParameters(fleet, root, options, problems);
  const overrides = readOverrides(fleet, root, files.backends, problems);
  checkBackendFiles(files, parameters, problems);
  const states = fleet.phases.map((phase, index) =>
    phaseState(phase, { file: root.file, path: ['phases', index] }, files, options, problems),
  );
  checkLimits(states, files, parameters, problems);
  const contents: FileContent[] = [];
  for (const { phase, use } of states) {
    if (use !== null && !repeated.has(phase)) contents.push(await readings.of(phase.name, use, parameters, problems));
  }
  // What another file declares is not known to be missing while one of them cannot be used.
  const whole = states.every((state) => state.use !== null);
  const tables = whole ? unite(contents, files, problems) : [];
  if (whole) checkRelease(fleet, root, tables, problems);
  const tenants = tenantRule(fleet, root, options, fragments, problems);
  const migrationLock = migrationLockRule(fleet, root, fragments);
  await checkFragments(fragments, problems);
  // What an expression names can be asked only of one that parses.
  if (!problems.any && whole) {
    await checkExpressions(tables, problems);
    await checkMoments(tables, problems);
  }
  const probes = contents.flatMap((content) => content.probes);
  if (!problems.any && whole) await checkProbes(probes, tables, problems);
  if (!problems.any) await checkMigrationLockColumns(migrationLock, problems);
  const extensions = contents
    .flatMap((content) => content.extensions)
    .filter((extension) => selected.has(extension.phase));
  const state = {
    directory: files.directory,
    connectionVariables: fleet.connection?.env ?? [],
    targets: targetRules(fleet, root, problems),
    tenants,
    release: releaseRule(fleet),
    migrationLock,
    phases: states.map((state) => desiredPhase(state, selected)),
    parameters: Object.fromEntries(
      [...parameters].map(([name, { value, source, forNewOnly }]) => [name, { value, source, forNewOnly }]),
    ),
    tables: onlyPhases(tables, selected),
    extensions: uniteExtensions(extensions, problems),
    probes: probes.filter((probe) => selected.has(probe.phase)),
    overrides,
  };
  return { state, digest: () => digest(files, states, parameters, tenants.baseSchema) };
}

/** References are checked over the tables of all phases. */
function unite(contents: readonly FileContent[], files: DesiredStateFiles, problems: Problems): DesiredState['tables'] {
  const parts = contents.flatMap((content) => content.tables);
  const extensions = contents.flatMap((content) => content.extensions);
  const tables = uniteTables(parts, new Set(files.fixed.keys()), problems);
  checkNames(tables, problems);
  checkReferences(tables, problems);
  checkMethods(tables, extensions, problems);
  return tables;
}

function checkBackendFiles(files: DesiredStateFiles, parameters: Parameters, problems: Problems): void {
  const integers = [...parameters].filter(([, parameter]) => parameter.type === 'integer').map(([name]) => name);
  for (const [phase, backends] of files.backends) {
    checkAlternatives(phase, backends, problems);
    checkLimitNames(backends.values(), integers, problems);
  }
}

function phaseState(
  phase: PhaseDocument,
  place: Place,
  files: DesiredStateFiles,
  options: LoadOptions,
  problems: Problems,
): PhaseState {
  const backends = files.backends.get(phase.name);
  if (backends === undefined) return { phase, backend: null, use: files.fixed.get(phase.name) ?? null };
  const backend = backends.size === 0 ? null : resolveBackend(phase, backends, place, options, problems);
  return { phase, backend, use: backend === null ? null : (backends.get(backend.resolved) ?? null) };
}

function checkLimits(
  states: readonly PhaseState[],
  files: DesiredStateFiles,
  parameters: Parameters,
  problems: Problems,
): void {
  for (const { phase, backend, use } of states) {
    if (backend === null || use === null) continue;
    for (const name of Object.keys(use.document.limits ?? {})) {
      const value = parameters.get(name)?.value;
      if (typeof value !== 'number') continue;
      const limit = limitProblem(use.document, name, value);
      if (limit === null) continue;
      const could = able(files.backends.get(phase.name), name, value);
      problems.add(
        'LIMIT_EXCEEDED',
        `${name} is ${value}, but ${backend.resolved} takes ${limit}`,
        use.file.position(['limits', name]),
        could.length === 0
          ? `no backend of ${phase.name} could take it`
          : `backends of ${phase.name} that could: ${could.join(', ')}`,
      );
    }
  }
}

const able = (backends: BackendFiles | undefined, name: string, value: number): readonly string[] =>
  [...(backends ?? [])]
    .filter(([, { document }]) => limitProblem(document, name, value) === null)
    .map(([backend]) => backend);

function desiredPhase({ phase, backend, use }: PhaseState, selected: ReadonlySet<string>): DesiredPhase {
  const settings = Object.entries(use?.document.build_settings ?? {}).map(([name, value]) => [name, String(value)]);
  return {
    name: phase.name,
    extension: phase.extension ?? false,
    selected: selected.has(phase.name),
    backend,
    owns: phase.owns === undefined ? null : { ...phase.owns, ignoring: phase.owns.ignoring ?? [] },
    keep: phase.keep ?? [],
    searchPath: use?.document.search_path ?? [],
    buildSettings: Object.fromEntries(settings),
    limits: use === null ? {} : limitsOf(use.document),
  };
}

/** Whether a value was given matters as well as the value: a default replaces nothing, a value that is given does. */
function digest(
  files: DesiredStateFiles,
  states: readonly PhaseState[],
  parameters: Parameters,
  baseSchema: string | null,
): string {
  return digestOf({
    fleet: files.fleetFile.value,
    baseSchema,
    documents: states.map(({ use }) => use?.document),
    backends: states.map(({ phase, backend }) => [
      phase.name,
      backend?.value,
      backend?.resolved,
      backend?.source === 'default',
    ]),
    parameters: [...parameters].map(([name, { value, source }]) => [name, value, source === 'default']),
  });
}
