import { FileReadings } from './file-readings.js';
import { readFiles } from './files.js';
import type { LoadOptions } from './load-options.js';
import type { DesiredState, ResolvedParameter } from './model.js';
import { Problems } from './problems.js';
import { checkState, resolveState } from './resolve-state.js';

/** What a directory holds, when it is valid: counts are of the phases selected, with the backends in use. */
export interface ValidationSummary {
  readonly directory: string;
  readonly digest: string;
  readonly phases: readonly {
    readonly name: string;
    readonly backend: string | null;
    readonly source: string | null;
    /** Every backend of the phase; each was resolved and checked. */
    readonly backends: readonly string[];
  }[];
  readonly tables: number;
  readonly materializedViews: number;
  readonly columns: number;
  readonly indexes: number;
  readonly indexFamilies: number;
  readonly parameters: Readonly<Record<string, ResolvedParameter>>;
}

/**
 * Loads a desired state as {@link loadDesiredState} does, and then once more with each other backend, one phase at a
 * time: a backend's file must be right before anyone chooses it.
 * @throws {TrueupError} the first problem by file and line, all others in `options.others`.
 */
export async function validateDesiredState(options: LoadOptions): Promise<ValidationSummary> {
  const problems = new Problems();
  const files = readFiles(options.directory, problems);
  const readings = new FileReadings();
  const state = files === null ? null : await resolveState(files, options, problems, readings);
  if (files !== null && state !== null) {
    for (const phase of state.phases) {
      for (const backend of files.backends.get(phase.name)?.keys() ?? []) {
        if (backend === phase.backend?.resolved) continue;
        const { alternatives, ...rest } = options;
        const others = Object.fromEntries(Object.entries(alternatives ?? {}).filter(([name]) => name !== phase.name));
        const backends = { ...options.backends, [phase.name]: backend };
        const found = new Problems();
        await checkState(files, { ...rest, alternatives: others, backends }, found, readings);
        // A value that only the backend in use can take says nothing against the files of the others.
        problems.takeFrom(found, (code) => code !== 'LIMIT_EXCEEDED');
      }
    }
  }
  problems.throwIfAny();
  if (state === null) throw new Error('fleet.yaml was refused without a reason');
  return summary(state);
}

function summary(state: DesiredState): ValidationSummary {
  const count = (of: (table: DesiredState['tables'][number]) => number): number =>
    state.tables.reduce((sum, table) => sum + of(table), 0);
  return {
    directory: state.directory,
    digest: state.digest,
    phases: state.phases.map(({ name, backend }) => ({
      name,
      backend: backend?.resolved ?? null,
      source: backend?.source ?? null,
      backends: backend?.known.map((known) => known.name) ?? [],
    })),
    tables: count((table) => (table.kind === 'table' ? 1 : 0)),
    materializedViews: count((table) => (table.kind === 'table' ? 0 : 1)),
    columns: count((table) => table.columns.length),
    indexes: count((table) => table.indexes.length),
    indexFamilies: count((table) => table.families.length),
    parameters: state.parameters,
  };
}
