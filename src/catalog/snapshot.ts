import type { Row, Session } from '../database/session.js';
import { inTransaction } from '../database/transaction.js';
import type { DesiredState } from '../desired-state/model.js';
import type { TableShape } from '../shape/table-shape.js';
import type { NameResolver } from '../sql/names.js';
import { buildShapes } from './build-shape.js';
import { catalogScope } from './catalog-scope.js';
import { DatabaseMemory } from './database-memory.js';
import { readDetails } from './details.js';
import { type Discovery, discoverTenants, type Tenant, type TenantSelection } from './discover.js';
import { readFleet } from './fleet-pass.js';
import { HashedTables, type Representative } from './hashed-tables.js';
import type { MemberGroup } from './owned-indexes.js';
import { askedAbout, type OwnedRead, ownedBySchema, type ReadKind, readKind, representatives } from './owned-reads.js';
import type { OwnershipFilter } from './ownership-filter.js';
import { againWhenPassing } from './passing-errors.js';
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
  /**
   * Null where it was not counted, and where phases are left out of the run: their objects could not be told from unmanaged
   * ones.
   */
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

/**
 * The reading itself: finds the tenants, hashes their tables, and reads in detail one of each hash and one index of each
 * definition.
 */
async function readOnce(
  session: Session,
  desired: DesiredState,
  selection: TenantSelection,
  how: OpenedReading,
): Promise<CatalogSnapshot> {
  const { memory = new DatabaseMemory(), made = false, again = false } = how;
  const { leftOut, ...discovery } = await discoverWithout(session, desired, selection, how.without);
  const oids = discovery.tenants.map((tenant) => tenant.oid);
  const scope = await catalogScope(desired);
  const { relations, filter } = scope;
  const counted = how.counts && desired.phases.every((phase) => phase.selected);
  const [{ surroundings, undeclared }, { hashed, apart }] = await withSharedSnapshot(
    session,
    oids.length < WORTH_A_SESSION ? null : how.beside,
    async () => ({
      surroundings: await memory.surroundings(JSON.stringify(desired.extensions), () =>
        readSurroundings(session, desired, memory.database),
      ),
      undeclared: counted ? await countUndeclared(session, oids, desired.tables) : null,
    }),
    (sessions) =>
      readFleet(sessions, oids, relations, filter, { shapes: true, apart: scope.apart, again, forAny: how.isBatch }),
  );
  how.passed?.(discovery.tenants);

  const tables = new HashedTables(hashed, scope, made ? surroundings.made : memory.shapes);
  const unknown = tables.unknown();
  const owned = askedAbout(apart.groups, filter);
  const examples = apart.kinds.flatMap((kind) => kind.examples.map((example) => example.oid));
  const indexes = [...new Set([...representatives(owned).values(), ...examples])];
  const shapes = await readInDetail(session, unknown, indexes, filter, surroundings.names);
  tables.learn(unknown, shapes.tables);
  const groups = tables.groups();
  return {
    ...discovery,
    leftOut,
    bySchema: new Map(discovery.tenants.map((tenant) => [tenant.schema, tenant])),
    groups,
    unmanaged: undeclared === null ? null : { tables: undeclared, ...countUnmanaged(desired.tables, groups) },
    owned: ownedBySchema(owned, shapes.indexes),
    members: apart.members,
    memberSeed: apart.seed,
    kinds: new Map(apart.kinds.map((kind) => [kind.key, readKind(kind, shapes.indexes)])),
    ...surroundings,
    session: { user: String(how.who?.user ?? ''), serverVersion: String(how.who?.version ?? '') },
  };
}

/** The tenants that are found, but for those that are to be left out. */
async function discoverWithout(
  session: Session,
  desired: DesiredState,
  selection: TenantSelection,
  without: CatalogReading['without'],
): Promise<Discovery & Pick<CatalogSnapshot, 'leftOut'>> {
  const found = await discoverTenants(session, desired.tenants, selection, desired.directory);
  const isLeftOut = ({ schema }: Tenant) => without?.has(schema) === true;
  return {
    ...found,
    tenants: found.tenants.filter((tenant) => !isLeftOut(tenant)),
    leftOut: found.tenants.filter(isLeftOut).map(({ schema }) => schema),
  };
}

/** The shapes of some tables, and of some indexes that are read apart, by oid. */
async function readInDetail(
  session: Session,
  tables: readonly Representative[],
  indexes: readonly string[],
  filter: OwnershipFilter,
  names: NameResolver,
) {
  const oids = [...new Set(tables.map(({ oid }) => oid))];
  if (oids.length + indexes.length > FEW_OBJECTS) await session.query(`select ${THESE_TENANTS}`);
  const details = await readDetails(session, oids, indexes, filter);
  // Whatever was not hashed must not stay, a left out phase's indexes either: every tenant of the shape would have the
  // representative's.
  return buildShapes(details, names, new Set([...indexes, ...tables.flatMap((table) => table.apart ?? [])]));
}

/** So few are read as soon by any plan. */
const FEW_OBJECTS = 100;
