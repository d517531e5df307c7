import { chunk, known } from '../collections.js';
import { DatabaseError, type Session } from '../database/session.js';
import { inTransaction } from '../database/transaction.js';
import type { DesiredState } from '../desired-state/model.js';
import type { IndexShape, TableShape } from '../shape/table-shape.js';
import type { NameResolver } from '../sql/names.js';
import { buildShapes } from './build-shape.js';
import { COLUMNS_SQL, CONSTRAINTS_SQL, INDEXES_SQL, TABLES_SQL } from './detail-queries.js';
import { type Discovery, discoverTenants, type Tenant, type TenantSelection } from './discover.js';
import {
  type AccessMethod,
  type ExtensionState,
  readDefaultOpclasses,
  readExtensions,
  readNames,
} from './extensions.js';
import { ownershipFilter } from './owned.js';
import { type OwnedIndexGroup, readOwnedIndexes } from './owned-indexes.js';
import type { ColumnRow, ConstraintRow, IndexRow, TableRow } from './rows.js';
import { hashShapes } from './shape-hash.js';
import { type OpenBeside, WORTH_A_SESSION, withSharedSnapshot } from './shared-snapshot.js';
import { countUnmanaged, type Unmanaged } from './unmanaged.js';

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

/** What one tenant has that is read apart from its shape. */
export interface OwnedRead {
  readonly table: string;
  /** The phase that owns it; null for one that only stands under a family member's name. */
  readonly phase: string | null;
  readonly index: IndexShape;
  readonly definition: string;
}

/** One database's fleet, as its catalogs say at one moment. */
export interface CatalogSnapshot extends Discovery {
  readonly bySchema: ReadonlyMap<string, Tenant>;
  readonly groups: readonly TenantGroup[];
  readonly owned: ReadonlyMap<string, readonly OwnedRead[]>;
  readonly extensions: ReadonlyMap<string, ExtensionState>;
  readonly methods: readonly AccessMethod[];
  readonly names: NameResolver;
  readonly isDefaultOpclass: (method: string, opclass: string) => boolean;
  /** Null where phases are left out of the run: their objects could not be told from unmanaged ones. */
  readonly unmanaged: Unmanaged | null;
  readonly session: { readonly user: string; readonly serverVersion: string };
}

/** How often a snapshot that an object vanished under is read again. */
const ATTEMPTS = 3;

/**
 * Reads the catalogs of a fleet in one read-only snapshot: a number of statements that does not grow with the tenants, and
 * not one lock on a table of theirs.
 * @param beside opens a second session for a fleet large enough to be read by two
 */
export async function readCatalog(
  session: Session,
  desired: DesiredState,
  selection: TenantSelection,
  beside: OpenBeside = null,
): Promise<CatalogSnapshot> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await inTransaction(session, 'read only snapshot', () => readOnce(session, desired, selection, beside));
    } catch (error) {
      // XX000: "cache lookup failed": something vanished between the snapshot and the system cache. 40001: a standby.
      const passing = error instanceof DatabaseError && ['XX000', '40001', '42P01'].includes(error.code);
      if (!passing || attempt === ATTEMPTS) throw error;
    }
  }
}

async function readOnce(
  session: Session,
  desired: DesiredState,
  selection: TenantSelection,
  beside: OpenBeside,
): Promise<CatalogSnapshot> {
  const [who] = await session.query<{ user: string; version: string }>(
    `select current_user::text "user", pg_catalog.current_setting('server_version') "version"`,
  );
  const discovery = await discoverTenants(session, desired.tenants, selection);
  const { extensions, methods } = await readExtensions(
    session,
    desired.extensions.map((extension) => extension.name),
  );
  const names = await readNames(session, desired.extensions, extensions);
  const isDefaultOpclass = await readDefaultOpclasses(session);
  // A family's rows may stand in a table of a phase that this run leaves out: not to see it would orphan every member.
  const sources = desired.tables.flatMap((table) => table.families.flatMap((family) => family.rows?.table ?? []));
  const relations = [...new Set([...desired.tables.map((table) => table.name), ...sources])];
  const filter = ownershipFilter(desired.phases, desired.tables);
  const oids = discovery.tenants.map((tenant) => tenant.oid);
  // What a phase owns that this run leaves out is no part of a shape, and nothing is asked about it.
  const selected = new Set(desired.phases.flatMap((phase) => (phase.selected ? [phase.name] : [])));
  const concerned =
    desired.tables.some((table) => table.families.length > 0) ||
    desired.phases.some((phase) => phase.selected && phase.owns !== null);
  const readShapes = async (sessions: readonly Session[]) => ({
    hashed: oids.length === 0 ? [] : await hashShapes(sessions, oids, relations, filter),
    groups: oids.length === 0 || !concerned ? [] : await readOwnedIndexes(sessions, oids, relations, filter),
  });
  const { hashed, groups: apart } = await withSharedSnapshot(
    session,
    oids.length < WORTH_A_SESSION ? null : beside,
    readShapes,
  );
  const owned = apart.filter((group) => group.phase === null || selected.has(group.phase));

  const representatives = new Map<string, string>();
  for (const group of hashed)
    for (const table of group.tables) {
      const of = `${table.name}\0${table.hash}`;
      if (!representatives.has(of)) representatives.set(of, table.oid);
    }
  const definitions = new Map(owned.map((group) => [definitionKey(group), group.representative]));
  const details = await readDetails(
    session,
    [...new Set(representatives.values())],
    [...new Set(definitions.values())],
  );
  const shapes = await buildShapes(details, names);
  const schemaOf = new Map(details.tables.map((row) => [row.oid, row.nspname]));
  const ownedIndexes = ownedBySchema(owned, (group) =>
    shapes.indexes.get(known(definitions.get(definitionKey(group)), 'definition')),
  );
  // By the representative's own schema: under one name, one tenant's index may be owned and another's not.
  const isApart = (schema: string, table: string, index: string) =>
    ownedIndexes.get(schema)?.some((read) => read.table === table && read.index.name === index) ?? false;
  const groups = hashed.map((group) => ({
    hash: group.hash,
    schemas: group.schemas,
    tables: new Map(
      group.tables.flatMap((table) => {
        const oid = known(representatives.get(`${table.name}\0${table.hash}`), `representative of ${table.name}`);
        const shape = shapes.tables.get(oid);
        // Vanished between two statements of this snapshot: the tenant is diffed as without it, and verified later.
        if (shape === undefined) return [];
        const schema = schemaOf.get(oid) ?? '';
        const own = shape.indexes.filter((index) => !isApart(schema, table.name, index.name));
        return [[table.name, { shape: { ...shape, indexes: own }, oid, schema }] as const];
      }),
    ),
  }));
  return {
    ...discovery,
    bySchema: new Map(discovery.tenants.map((tenant) => [tenant.schema, tenant])),
    groups,
    unmanaged: desired.phases.every((phase) => phase.selected)
      ? await countUnmanaged(session, oids, desired.tables, groups)
      : null,
    owned: ownedIndexes,
    extensions,
    methods,
    names,
    isDefaultOpclass,
    session: { user: who?.user ?? '', serverVersion: who?.version ?? '' },
  };
}

const definitionKey = (group: OwnedIndexGroup): string => `${group.table}\0${group.definition}`;

function ownedBySchema(
  groups: readonly OwnedIndexGroup[],
  shapeOf: (group: OwnedIndexGroup) => IndexShape | undefined,
): ReadonlyMap<string, readonly OwnedRead[]> {
  const bySchema = new Map<string, OwnedRead[]>();
  for (const group of groups) {
    const shape = shapeOf(group);
    if (shape === undefined) continue;
    const read: OwnedRead = {
      table: group.table,
      phase: group.phase,
      definition: group.definition,
      index: { ...shape, name: group.name, where: group.where },
    };
    for (const schema of group.schemas) {
      const list = bySchema.get(schema);
      if (list === undefined) bySchema.set(schema, [read]);
      else list.push(read);
    }
  }
  return bySchema;
}

/** Four statements; more only where one would name more than some ten thousand objects. */
async function readDetails(session: Session, tables: readonly string[], indexes: readonly string[]) {
  const rows = {
    tables: [] as TableRow[],
    columns: [] as ColumnRow[],
    constraints: [] as ConstraintRow[],
    indexes: [] as IndexRow[],
  };
  const version = session.serverVersion;
  for (const part of chunk(tables, 20_000)) {
    rows.tables.push(...(await session.query<TableRow>(TABLES_SQL, [part])));
    rows.columns.push(...(await session.query<ColumnRow>(COLUMNS_SQL, [part])));
    rows.constraints.push(...(await session.query<ConstraintRow>(CONSTRAINTS_SQL(version), [part])));
  }
  rows.indexes.push(...(await session.query<IndexRow>(INDEXES_SQL(version), [tables, indexes])));
  return rows;
}
