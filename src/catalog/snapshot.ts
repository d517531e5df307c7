import type { Row, Session } from '../database/session.js';
import { inTransaction } from '../database/transaction.js';
import type { DesiredState } from '../desired-state/model.js';
import type { TableShape } from '../shape/table-shape.js';
import { buildShapes } from './build-shape.js';
import { DatabaseMemory } from './database-memory.js';
import { readDetails } from './details.js';
import { type Discovery, discoverTenants, type Tenant, type TenantSelection } from './discover.js';
import { readFleet } from './fleet-pass.js';
import type { HashedTable } from './fleet-row.js';
import type { MemberGroup } from './owned-indexes.js';
import { definitionKey, type OwnedRead, ownedBySchema, type ReadKind, readKind } from './owned-reads.js';
import { type OwnershipFilter, ownershipFilter } from './ownership-filter.js';
import { againWhenPassing } from './passing-errors.js';
import { relevanceOf, relevantShape } from './relevance.js';
import {
  ANY_TENANTS,
  CATALOG_SETTINGS,
  type OpenBeside,
  THESE_TENANTS,
  WORTH_A_SESSION,
  withSharedSnapshot,
} from './shared-snapshot.js';
import { readSurroundings, type Surroundings } from './surroundings.js';
import { countUndeclared, countUnmanaged, type Unmanaged } from './unmanaged.js';

/** Tenants that hash alike, with the shapes of their declared tables as one of them has them. */
export interface TenantGroup {
  readonly hash: string;
  readonly schemas: readonly string[];
  readonly tables: ReadonlyMap<string, ReadTable>;
}

/** A table's shape, and which table it was read from. */
export interface ReadTable {
  readonly shape: TableShape;
  readonly oid: string;
  readonly schema: string;
}

/** One database's fleet, as its catalogs say at one moment. */
export interface CatalogSnapshot extends Discovery, Surroundings {
  /** Tenants that were found, and left out as they were to be. */
  readonly leftOut: readonly string[];
  readonly bySchema: ReadonlyMap<string, Tenant>;
  readonly groups: readonly TenantGroup[];
  /** What is read apart, but for what `members` stands for. */
  readonly owned: ReadonlyMap<string, readonly OwnedRead[]>;
  readonly members: readonly MemberGroup[];
  /** That of the members' digests. */
  readonly memberSeed: string;
  /** By key, the kinds that `members` names: with those examples that could be read. */
  readonly kinds: ReadonlyMap<string, ReadKind>;
  /** Null where it was not counted, and where phases are left out of the run: their objects could not be told from unmanaged ones. */
  readonly unmanaged: Unmanaged | null;
  readonly session: { readonly user: string; readonly serverVersion: string };
}

/** How the catalogs of a fleet are read. */
interface CatalogReading {
  /** Opens a second session, for a fleet large enough to be read by two. */
  readonly beside: OpenBeside;
  /** Whether what nothing declares is counted. */
  readonly counts: boolean;
  /** What the run has learnt of the database before. Left out: nothing. */
  readonly memory?: DatabaseMemory;
  /** See {@link Surroundings.made}. Left out: no. */
  readonly made?: boolean;
  /** See {@link PassRequest}. Left out: no. */
  readonly again?: boolean;
  /** Is told the tenants as soon as the fleet was passed over: for what can begin while it is read in detail. Left out: nobody. */
  readonly passed?: (tenants: readonly Tenant[]) => void;
  /** Schemas that are left out. Left out itself: none. */
  readonly without?: { has(schema: string): boolean };
}

/** The same in its transaction, and what that was opened with. */
interface OpenedReading extends CatalogReading {
  readonly isBatch: boolean;
  readonly who: Row | undefined;
}

/**
 * Reads the catalogs of a fleet in one read-only snapshot: a number of statements that does not grow with the tenants, and
 * not one lock on a table of theirs.
 */
export async function readCatalog(
  session: Session,
  desired: DesiredState,
  selection: TenantSelection,
  how: CatalogReading = { beside: null, counts: true },
): Promise<CatalogSnapshot> {
  const { again = false } = how;
  // A batch of an apply asks about few tenants all along; of a fleet, only the pass itself is planned for any.
  const isBatch = again && selection.schemas.length > 0 && selection.schemas.length < WORTH_A_SESSION;
  const opening = `select current_user::text "user", pg_catalog.current_setting('server_version') "version", ${CATALOG_SETTINGS}${isBatch ? `, ${ANY_TENANTS}` : ''}`;
  const read = () =>
    inTransaction(
      session,
      'read only snapshot',
      ([about]) => readOnce(session, desired, selection, { ...how, isBatch, who: about?.[0] }),
      [opening],
    );
  return againWhenPassing(read);
}

async function readOnce(
  session: Session,
  desired: DesiredState,
  selection: TenantSelection,
  {
    beside,
    counts,
    memory = new DatabaseMemory(),
    made = false,
    again = false,
    passed,
    without,
    isBatch,
    who,
  }: OpenedReading,
): Promise<CatalogSnapshot> {
  const found = await discoverTenants(session, desired.tenants, selection, desired.directory);
  const leftOut = found.tenants.flatMap(({ schema }) => (without?.has(schema) === true ? schema : []));
  const discovery = { ...found, tenants: found.tenants.filter(({ schema }) => without?.has(schema) !== true) };
  const counted = counts && desired.phases.every((phase) => phase.selected);
  const relations = relationsRead(desired);
  const relevance = new Map((await relevanceOf(desired)).map((of) => [of.table, of]));
  const filter = ownershipFilter(desired.phases, desired.tables, [...relevance.values()]);
  const oids = discovery.tenants.map((tenant) => tenant.oid);
  // What a phase owns that this run leaves out is no part of a shape, unless it is in the run's way, and nothing is asked about it.
  const selected = new Set(desired.phases.flatMap((phase) => (phase.selected ? [phase.name] : [])));
  const concerned =
    desired.tables.some((table) => table.families.length > 0) ||
    desired.phases.some((phase) => phase.selected && phase.owns !== null);
  const [{ surroundings, undeclared }, { hashed, apart }] = await withSharedSnapshot(
    session,
    oids.length < WORTH_A_SESSION ? null : beside,
    async () => ({
      surroundings: await memory.surroundings(JSON.stringify(desired.extensions), () =>
        readSurroundings(session, desired, memory.database),
      ),
      undeclared: counted ? await countUndeclared(session, oids, desired.tables) : null,
    }),
    (sessions) =>
      readFleet(sessions, oids, relations, filter, { shapes: true, apart: concerned, again, forAny: isBatch }),
  );
  passed?.(discovery.tenants);
  const owned = apart.groups.filter((group) => group.phase === null || selected.has(group.phase));

  const remembered = made ? surroundings.made : memory.shapes;
  const shapesOf = new Map(relations.map((table) => [table, remembered.of(shapedBy(table, filter, relations))]));
  const knownOf = (name: string, hash: string) => shapesOf.get(name)?.get(hash);
  const representatives = new Map<string, Representative>();
  for (const group of hashed)
    for (const table of group.tables) {
      const of = tableKey(table.name, table.hash);
      if (!representatives.has(of)) representatives.set(of, { ...table, schema: group.representative });
    }
  const unknown = [...representatives.values()].filter(({ name, hash }) => knownOf(name, hash) === undefined);
  const definitions = new Map(owned.map((group) => [definitionKey(group), group.representative]));
  const examples = apart.kinds.flatMap((kind) => kind.examples.map((example) => example.oid));
  const tables = [...new Set(unknown.map(({ oid }) => oid))];
  const indexes = [...new Set([...definitions.values(), ...examples])];
  if (tables.length + indexes.length > FEW_OBJECTS) await session.query(`select ${THESE_TENANTS}`);
  const details = await readDetails(session, tables, indexes, filter);
  // Whatever was not hashed must not stay, a left out phase's indexes either: every tenant of the shape would have the representative's.
  const notHashed = new Set([...indexes, ...unknown.flatMap((table) => table.apart ?? [])]);
  const shapes = await buildShapes(details, surroundings.names, notHashed);
  const ownedIndexes = ownedBySchema(owned, (group) => shapes.indexes.get(definitions.get(definitionKey(group)) ?? ''));
  const asked = new Set(relations.filter((name) => relevance.get(name)?.bare !== true));
  for (const { name, hash, oid } of unknown) {
    const shape = shapes.tables.get(oid);
    // Vanished between two statements of this snapshot: the tenant is diffed as without it, and verified later.
    if (shape === undefined) continue;
    const relevant = relevance.get(shape.name);
    shapesOf.get(name)?.set(hash, relevant === undefined ? shape : relevantShape(shape, relevant, asked));
  }
  const groups = hashed.map((group) => ({
    hash: group.hash,
    schemas: group.schemas,
    tables: new Map(
      group.tables.flatMap((table) => {
        const shape = knownOf(table.name, table.hash);
        const from = representatives.get(tableKey(table.name, table.hash));
        if (shape === undefined || from === undefined) return [];
        return [[table.name, { shape, oid: from.oid, schema: from.schema }] as const];
      }),
    ),
  }));
  return {
    ...discovery,
    leftOut,
    bySchema: new Map(discovery.tenants.map((tenant) => [tenant.schema, tenant])),
    groups,
    unmanaged: undeclared === null ? null : { tables: undeclared, ...countUnmanaged(desired.tables, groups) },
    owned: ownedIndexes,
    members: apart.members,
    memberSeed: apart.seed,
    kinds: new Map(apart.kinds.map((kind) => [kind.key, readKind(kind, shapes.indexes)])),
    ...surroundings,
    session: { user: String(who?.user ?? ''), serverVersion: String(who?.version ?? '') },
  };
}

/** Names of the tables that a desired state is read from. */
export function relationsRead({ tables }: Pick<DesiredState, 'tables'>): readonly string[] {
  // A family's rows may stand in a table of a phase that this run leaves out: not to see it would orphan every member.
  const sources = tables.flatMap((table) => table.families.flatMap((family) => family.rows?.table ?? []));
  return [...new Set([...tables.map((table) => table.name), ...sources])];
}

/** So few are read as soon by any plan. */
const FEW_OBJECTS = 100;

/**
 * What is hashed of a table, and what is left of its shape: equal where the shapes of one reading hold for another, of more
 * tables or fewer. Of one that is cut, a foreign key to a table that is read is left.
 */
const shapedBy = (table: string, filter: OwnershipFilter, relations: readonly string[]): string => {
  const { ownership, families, selected, relevant } = filter;
  const cut = relevant.filter((one) => one.table === table);
  const ofTable = families.filter((family) => family.table === table);
  return JSON.stringify([table, ownership, selected, ofTable, cut, cut.length > 0 ? relations : null]);
};

/** The table that a shape is read from, and its tenant. */
interface Representative extends HashedTable {
  readonly schema: string;
}

const tableKey = (name: string, hash: string): string => `${name}\0${hash}`;
