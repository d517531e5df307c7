import { nameLikes, namePattern } from '../desired-state/family-names.js';
import type { DesiredPhase, DesiredTable, IndexFamily } from '../desired-state/model.js';
import type { Relevance } from './relevance.js';

/**
 * What the catalog queries need to tell owned indexes and family members from the rest: they are read apart, tenant by
 * tenant, and are no part of a shape (else every tenant with rows of its own would have a shape of its own).
 */
export interface OwnershipFilter {
  readonly ownership: readonly {
    readonly phase: string;
    readonly methods: readonly string[];
    readonly columns: readonly string[];
    readonly ignoring: readonly string[];
  }[];
  readonly families: readonly {
    readonly table: string;
    /** With which every name begins that matches the pattern: sooner told. */
    readonly prefix: string;
    readonly pattern: string;
    /** The same names as patterns of LIKE; null where they are too many. */
    readonly likes: readonly string[] | null;
    /** Where in the table's list of families it stands, when its members are read as one digest a tenant; else null. */
    readonly digested: number | null;
    /** Names on that table that a declaration by name claims: never members. */
    readonly declared: readonly string[];
  }[];
  /** Phases of this run. */
  readonly selected: readonly string[];
  /** Names that they declare, of indexes and constraints: what stands under one is in its way, whose ever it is. */
  readonly names: readonly string[];
  /** Tables of which a part is hashed. */
  readonly relevant: readonly Relevance[];
}

/**
 * Whether the members on a table can be compared by digest: each family takes its members from rows alone. A cost policy
 * needs counts of each member's rows; members that no row makes are the same names in every tenant, and cheap as they are.
 */
export const isDigested = (table: DesiredTable): boolean =>
  table.families.length > 0 && table.families.every((family) => family.rows !== null && family.worthRows === null);

/** The filter for all phases, the ones that this run skips too: their indexes must not split the shapes of the others. */
export function ownershipFilter(
  phases: readonly DesiredPhase[],
  tables: readonly DesiredTable[],
  relevant: readonly Relevance[] = [],
): OwnershipFilter {
  return {
    ownership: phases.flatMap((phase) =>
      phase.owns === null
        ? []
        : [
            {
              phase: phase.name,
              methods: phase.owns.methods,
              columns: phase.owns.columns,
              ignoring: phase.owns.ignoring,
            },
          ],
    ),
    families: tables.flatMap((table) =>
      table.families.map((family, at) => ({
        table: table.name,
        prefix: typeof family.name[0] === 'string' ? family.name[0] : '',
        pattern: familyNamePattern(family),
        likes: nameLikes(family.name, family.lists),
        digested: isDigested(table) ? at : null,
        declared: table.indexes.map((index) => index.name),
      })),
    ),
    selected: phases.flatMap((phase) => (phase.selected ? [phase.name] : [])),
    names: tables.flatMap(({ indexes, constraints }) => [...indexes, ...constraints].map(({ name }) => name)),
    relevant,
  };
}

/** The same filter, with every index read one by one. */
export const undigested = (filter: OwnershipFilter): OwnershipFilter => ({
  ...filter,
  families: filter.families.map((family) => ({ ...family, digested: null })),
});

/**
 * The same filter, which gives every index to the phase that owns it, though the run leaves that phase out and the index is
 * in its way.
 */
export const ofAllPhases = (filter: OwnershipFilter): OwnershipFilter => ({
  ...filter,
  selected: filter.ownership.map(({ phase }) => phase),
});

/** A regular expression (PostgreSQL's and JavaScript's) for every name that a family can give. */
export const familyNamePattern = (family: IndexFamily): string => namePattern(family.name, family.lists);
