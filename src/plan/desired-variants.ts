import type { Row, Session } from '../database/session.js';
import type { LoadOptions } from '../desired-state/load-options.js';
import type { DesiredState } from '../desired-state/model.js';
import { matchesLike } from '../diff/like.js';
import type { Diagnostic } from './fleet-plan.js';

/** Loads the same files with other backends or values: what a database or an override asks for. */
export type Reload = (
  changes: Pick<LoadOptions, 'alternatives' | 'backendOverrides' | 'parameterOverrides'>,
) => Promise<DesiredState>;

/** Tenants that one loaded state describes. */
export interface Variant extends Resolved {
  readonly schemas: readonly string[];
}

/** A desired state as a database understands it, and what is to be said of that. */
export interface Resolved {
  readonly desired: DesiredState;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Of a backend that names alternatives, the first one whose extensions are installed, else available, is the database's:
 * chosen once, and said. One statement, and only where a backend names any.
 */
export async function resolveAlternatives(
  session: Session,
  desired: DesiredState,
  reload: Reload,
  database: string,
): Promise<Resolved> {
  const open = desired.phases.filter((phase) => phase.selected && (phase.backend?.alternatives.length ?? 0) > 1);
  if (open.length === 0) return { desired, diagnostics: [] };
  const extensionsOf = (phase: (typeof open)[number], backend: string) =>
    (phase.backend?.known.find((known) => known.name === backend)?.methods ?? []).flatMap(
      (method) => method.extension ?? [],
    );
  const names = open.flatMap((phase) =>
    (phase.backend?.alternatives ?? []).flatMap((name) => extensionsOf(phase, name)),
  );
  const rows = await session.query<Row & { name: string; installed: boolean; available: boolean }>(
    `select w.name, exists (select from pg_catalog.pg_extension e where e.extname = w.name) installed,
            exists (select from pg_catalog.pg_available_extensions() a where a.name = w.name) available
       from pg_catalog.unnest($1::text[]) w(name)`,
    [[...new Set(names)]],
  );
  const state = new Map(rows.map((row) => [row.name, row]));
  const alternatives: Record<string, string> = {};
  const diagnostics: Diagnostic[] = [];
  for (const phase of open) {
    const { backend } = phase;
    if (backend === null) continue;
    const having = (what: 'installed' | 'available') =>
      backend.alternatives.find((name) =>
        extensionsOf(phase, name).every((extension) => state.get(extension)?.[what] === true),
      );
    const installed = having('installed');
    const chosen = installed ?? having('available');
    if (chosen === undefined || chosen === backend.resolved) continue;
    alternatives[phase.name] = chosen;
    diagnostics.push({
      severity: 'note',
      code: 'BACKEND_RESOLVED',
      message: `backend ${backend.value} of phase ${phase.name} resolves to ${chosen}: its extension is ${installed === undefined ? 'available' : 'installed'} here, that of ${backend.value} is not`,
      remedy: null,
      database,
      schema: null,
    });
  }
  if (Object.keys(alternatives).length === 0) return { desired, diagnostics };
  return { desired: await reload({ alternatives }), diagnostics };
}

/**
 * Tenants by the override that names them; the first that matches counts, and most match none. A backend that an override
 * names has alternatives of its own: those of the others are none of it.
 */
export async function variantsOf(
  session: Session,
  { desired, diagnostics }: Resolved,
  schemas: readonly string[],
  reload: Reload,
  database: string,
): Promise<readonly Variant[]> {
  const rest: string[] = [];
  const byOverride = desired.overrides.map((): string[] => []);
  for (const schema of schemas) {
    const at = desired.overrides.findIndex((override) =>
      override.schemas.some((pattern) => matchesLike(schema, pattern)),
    );
    (byOverride[at] ?? rest).push(schema);
  }
  const variants: Variant[] = [{ desired, diagnostics, schemas: rest }];
  for (const [at, override] of desired.overrides.entries()) {
    const named = byOverride[at] ?? [];
    if (named.length === 0) continue;
    const overridden: Reload = (changes) =>
      reload({ ...changes, backendOverrides: override.backends, parameterOverrides: override.parameters });
    const resolved = await resolveAlternatives(session, await overridden({}), overridden, database);
    variants.push({ ...resolved, schemas: named });
  }
  return variants;
}
