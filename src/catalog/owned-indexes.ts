import { groupBy } from '../collections.js';
import { relativeTo } from '../sql/relative.js';
import type { FleetRow } from './fleet-row.js';

/**
 * An index that is read apart from the shapes: one that a phase owns, or one that stands under a family member's name.
 * Indexes that agree in all but their tenants are one entry.
 */
export interface OwnedIndexGroup {
  readonly table: string;
  readonly name: string;
  /** Names everything that the definition says but the predicate; agrees exactly where the definitions do. */
  readonly definition: string;
  /** The predicate as the server writes it, relative to the tenant; null for none. */
  readonly where: string | null;
  /** The phase that owns it; null for one that only stands under a family member's name. */
  readonly phase: string | null;
  /** One index of the group, for reading the definition in detail. */
  readonly representative: string;
  readonly schemas: readonly string[];
}

/** The tenants whose members of one family are of the same kinds, each with the digest of its own. */
export interface MemberGroup {
  readonly table: string;
  /** Where in the table's list of families. */
  readonly family: number;
  /** Keys of {@link MemberKind}, in order. */
  readonly kinds: readonly string[];
  readonly schemas: readonly string[];
  /** Of each schema: as `memberDigest` makes it. */
  readonly digests: readonly string[];
}

/** Members of one family that differ in no more than their names and the constants of their predicates. */
export interface MemberKind {
  readonly table: string;
  readonly family: number;
  readonly key: string;
  readonly phase: string | null;
  readonly definition: string;
  /** Some members of the kind; any of them may itself be drift. */
  readonly examples: readonly {
    readonly schema: string;
    readonly name: string;
    readonly where: string | null;
    readonly oid: string;
  }[];
}

/** What the catalogs hold of indexes that are read apart. */
export interface OwnedIndexes {
  /** Whatever is not digested. */
  readonly groups: readonly OwnedIndexGroup[];
  readonly members: readonly MemberGroup[];
  readonly kinds: readonly MemberKind[];
  /** Under which members were hashed: digests of another seed are not comparable. */
  readonly seed: string;
}

/** Rows of the pass over a fleet, told apart by what they are. */
export function asOwned(rows: readonly FleetRow[], seed: string): OwnedIndexes {
  const of = groupBy(rows, (row) => row.what);
  return { groups: (of.get('index') ?? []).map(asGroup), members: asMembers(of), kinds: asKinds(of), seed };
}

type RowsByKind = ReadonlyMap<FleetRow['what'], readonly FleetRow[]>;

const asGroup = (row: FleetRow): OwnedIndexGroup => ({
  table: row.tab,
  name: row.name,
  definition: row.def,
  // Cut into tokens, not replaced as text: in tenant acme, a value acme.com is no reference to the schema.
  where: row.pred === null || row.own === null ? row.pred : relativeTo(row.own, row.pred),
  phase: row.phase,
  representative: row.rep,
  schemas: row.schemas,
});

/** Two sessions may each have found a part of the same group. */
function asMembers(rows: RowsByKind): readonly MemberGroup[] {
  const groups = groupBy(rows.get('members') ?? [], (row) => JSON.stringify([row.tab, row.fam, row.kinds]));
  return [...groups.values()].flatMap((parts) => {
    const [first] = parts;
    return first === undefined
      ? []
      : {
          table: first.tab,
          family: first.fam,
          kinds: first.kinds.map((kind) => kindKey(first, kind)),
          schemas: parts.flatMap((part) => part.schemas),
          digests: parts.flatMap((part) => part.digests),
        };
  });
}

const kindKey = (row: FleetRow, kind: string): string => JSON.stringify([row.tab, row.fam, kind]);

function asKinds(rows: RowsByKind): readonly MemberKind[] {
  const kinds = groupBy(rows.get('kind') ?? [], (row) => JSON.stringify([row.tab, row.fam, row.kinds]));
  return [...kinds.values()].flatMap((examples) => {
    const [first] = examples;
    return first === undefined
      ? []
      : {
          table: first.tab,
          family: first.fam,
          key: kindKey(first, first.kinds[0] ?? ''),
          phase: first.phase,
          definition: first.def,
          examples: examples.map((row) => ({
            schema: row.schemas[0] ?? '',
            name: row.name,
            where: row.pred,
            oid: row.rep,
          })),
        };
  });
}
