import type { DesiredState } from '../desired-state/model.js';
import { type OwnershipFilter, ownershipFilter } from './ownership-filter.js';
import { relevanceOf } from './relevance.js';

/** What a desired state asks of a fleet's catalogs. */
export interface CatalogScope {
  /** Names of the tables that are read. */
  readonly relations: readonly string[];
  readonly filter: OwnershipFilter;
  /** Whether any index is asked about that is read apart from the shapes. */
  readonly apart: boolean;
}

/** What this run asks of the catalogs: about what a phase owns that it leaves out, nothing. */
export async function catalogScope(desired: DesiredState): Promise<CatalogScope> {
  return {
    relations: relationsRead(desired),
    filter: ownershipFilter(desired.phases, desired.tables, await relevanceOf(desired)),
    apart:
      desired.tables.some((table) => table.families.length > 0) ||
      desired.phases.some((phase) => phase.selected && phase.owns !== null),
  };
}

/** Names of the tables that a desired state is read from. */
export function relationsRead({ tables }: Pick<DesiredState, 'tables'>): readonly string[] {
  // A family's rows may stand in a table of a phase that this run leaves out: not to see it would orphan every member.
  const sources = tables.flatMap((table) => table.families.flatMap((family) => family.rows?.table ?? []));
  return [...new Set([...tables.map((table) => table.name), ...sources])];
}
