import { oncePer } from '../collections.js';
import type { Session } from '../database/session.js';
import { inTransaction } from '../database/transaction.js';
import type { DesiredState } from '../desired-state/model.js';
import type { IndexShape } from '../shape/table-shape.js';
import type { NameResolver } from '../sql/names.js';
import { buildShapes } from './build-shape.js';
import { readDetails } from './details.js';
import type { Tenant } from './discover.js';
import { readFleet } from './fleet-pass.js';
import type { MemberKind, OwnedIndexGroup } from './owned-indexes.js';
import { type OwnershipFilter, ownershipFilter, undigested } from './ownership-filter.js';
import { againWhenPassing } from './passing-errors.js';

/** What one tenant has that is read apart from its shape. */
export interface OwnedRead {
  readonly table: string;
  /** The phase that owns it; null for one that only stands under a family member's name. */
  readonly phase: string | null;
  readonly index: IndexShape;
  readonly definition: string;
}

/** A kind of family member, with indexes of that kind: any of them may itself be drift. */
export interface ReadKind {
  readonly key: string;
  readonly examples: readonly (OwnedRead & { readonly schema: string })[];
}

/** Every index of some tenants that is read apart, one by one, from a snapshot of its own. */
export async function readOwned(
  session: Session,
  desired: DesiredState,
  tenants: readonly Tenant[],
  names: NameResolver,
): Promise<ReadonlyMap<string, readonly OwnedRead[]>> {
  if (tenants.length === 0) return new Map();
  const filter = undigested(ownershipFilter(desired.phases, desired.tables));
  const relations = desired.tables.map((table) => table.name);
  const namespaces = tenants.map((tenant) => tenant.oid);
  return againWhenPassing(() =>
    inTransaction(session, 'read only snapshot', async () => {
      const { apart } = await readFleet([session], namespaces, relations, filter, { shapes: false, apart: true });
      const owned = askedAbout(apart.groups, filter);
      const asked = [...representatives(owned).values()];
      const details = await readDetails(session, [], asked, filter);
      const { indexes } = await buildShapes(details, names, new Set(asked));
      return ownedBySchema(owned, indexes);
    }),
  );
}

/** A kind with those of its examples that are still there. */
export function readKind(kind: MemberKind, shapes: ReadonlyMap<string, IndexShape>): ReadKind {
  const { key, table, phase, definition } = kind;
  const examples = kind.examples.flatMap(({ schema, name, where, oid }) => {
    const shape = shapes.get(oid);
    return shape === undefined ? [] : [{ schema, table, phase, definition, index: { ...shape, name, where } }];
  });
  return { key, examples };
}

/** Those that this run asks about: not what a phase owns that it leaves out. What is in its way is given to no such phase. */
export const askedAbout = (
  groups: readonly OwnedIndexGroup[],
  { selected }: OwnershipFilter,
): readonly OwnedIndexGroup[] => groups.filter(({ phase }) => phase === null || selected.includes(phase));

/** Of each definition the index, by oid, that is read in detail for all groups of it. */
export const representatives = (groups: readonly OwnedIndexGroup[]): ReadonlyMap<string, string> =>
  new Map(groups.map((group) => [definitionKey(group), group.representative]));

const definitionKey = ({ table, definition }: OwnedIndexGroup): string => `${table}\0${definition}`;

/**
 * What each tenant has, of the groups whose definition could be read: by name, since the server gives groups in any order.
 * Tenants that have the same share one list, so that what follows from it is told once.
 * @param indexes by oid, those of {@link representatives}
 */
export function ownedBySchema(
  groups: readonly OwnedIndexGroup[],
  indexes: ReadonlyMap<string, IndexShape>,
): ReadonlyMap<string, readonly OwnedRead[]> {
  const oids = representatives(groups);
  const reads: OwnedRead[] = [];
  const places = new Map<string, number[]>();
  for (const group of [...groups].sort(byName)) {
    const shape = indexes.get(oids.get(definitionKey(group)) ?? '');
    if (shape === undefined) continue;
    const at = reads.push({
      table: group.table,
      phase: group.phase,
      definition: group.definition,
      index: { ...shape, name: group.name, where: group.where },
    });
    for (const schema of group.schemas) {
      const list = places.get(schema);
      if (list === undefined) places.set(schema, [at - 1]);
      else list.push(at - 1);
    }
  }
  const listOf = oncePer((key: string) => key.split(',').flatMap((at) => reads[Number(at)] ?? []));
  return new Map([...places].map(([schema, list]) => [schema, listOf(list.join(','))]));
}

const nameOf = ({ table, name }: OwnedIndexGroup): string => `${table}\0${name}`;

const byName = (left: OwnedIndexGroup, right: OwnedIndexGroup): number =>
  nameOf(left) < nameOf(right) ? -1 : nameOf(left) > nameOf(right) ? 1 : 0;
