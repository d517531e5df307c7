import { familyNamePattern } from '../catalog/ownership-filter.js';
import type { DesiredState } from '../desired-state/model.js';

/**
 * Tells a family's members by their names, those of backends that do not run included. What their names hold of rows are
 * often customers' names: a finding names the family, never the member.
 */
export class MemberLabels {
  readonly #families: readonly { readonly table: string; readonly label: string; readonly pattern: RegExp }[];
  readonly #declared: ReadonlySet<string>;

  constructor({ tables, phases }: DesiredState) {
    const declared = tables.flatMap((table) =>
      table.families.map((family) => ({
        table: table.name,
        label: family.label,
        pattern: familyNamePattern(family),
      })),
    );
    const known = phases.flatMap((phase) => phase.backend?.known.flatMap((backend) => backend.families) ?? []);
    this.#families = [...declared, ...known].map(({ table, label, pattern }) => ({
      table,
      label,
      pattern: new RegExp(pattern, 'su'),
    }));
    this.#declared = new Set(
      tables.flatMap((table) => [...table.indexes, ...table.constraints].map(({ name }) => `${table.name}\0${name}`)),
    );
  }

  /** The family as it is written; null for an index of none. */
  of(table: string, index: string): string | null {
    if (this.isDeclared(table, index)) return null;
    return this.#families.find((family) => family.table === table && family.pattern.test(index))?.label ?? null;
  }

  /** Whether the desired state names the index, or the constraint behind it. */
  isDeclared(table: string, index: string): boolean {
    return this.#declared.has(`${table}\0${index}`);
  }
}
