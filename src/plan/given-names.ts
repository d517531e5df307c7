import { oncePer } from '../collections.js';
import type { DesiredTable, IndexFamily } from '../desired-state/model.js';
import { type ExpectedMember, MemberProblem } from '../diff/family-members.js';
import { isKey } from '../shape/table-shape.js';

/**
 * What each tenant's members are called. A name that is given twice has no index that is right for both: each apply would
 * build one in the place of the other, time and again.
 */
export class GivenNames {
  readonly #declared: ReadonlySet<string>;
  readonly #given = oncePer((_schema: string) => new Map<string, IndexFamily>());

  constructor(tables: readonly DesiredTable[]) {
    this.#declared = new Set(
      tables.flatMap(({ name, indexes, constraints }) => [
        name,
        ...indexes.map((index) => index.name),
        ...constraints.flatMap((constraint) => (isKey(constraint) ? [constraint.name] : [])),
      ]),
    );
  }

  /** @throws {MemberProblem} when something else that is declared has one of the names. */
  take(schema: string, family: IndexFamily, members: ReadonlyMap<string, ExpectedMember>): void {
    const given = this.#given(schema);
    for (const name of members.keys()) {
      const other = given.get(name) ?? family;
      const who = this.#declared.has(name) ? 'the desired state declares too' : `index family ${other.label} gives too`;
      if (other !== family || this.#declared.has(name))
        throw new MemberProblem(`index family ${family.label} gives the name ${name}, which ${who}`);
      given.set(name, family);
    }
  }

  /** The names that some families give in a tenant. */
  of(schema: string, families: readonly IndexFamily[]): ReadonlySet<string> {
    return new Set([...this.#given(schema)].flatMap(([name, family]) => (families.includes(family) ? [name] : [])));
  }
}
