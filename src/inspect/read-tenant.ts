import { discoverTenants } from '../catalog/discover.js';
import { readCatalog } from '../catalog/snapshot.js';
import type { Row, Session } from '../database/session.js';
import { inTransaction } from '../database/transaction.js';
import type { DesiredExtension } from '../desired-state/model.js';
import type { TableShape } from '../shape/table-shape.js';
import { isForeignIn, type NameResolver } from '../sql/names.js';
import { relativeQuery } from '../sql/relative.js';
import { isTemporary } from '../sql/temporary-name.js';
import { TrueupError } from '../trueup-error.js';
import { bareState, inOrder, ruleOf, selected } from './bare-state.js';
import { itemKey, type Note } from './items.js';
import { HELD_SQL, type HeldRow, NEEDED_EXTENSIONS_SQL, type NeededExtensionRow } from './needed-query.js';
import {
  type ConstraintExtraRow,
  constraintExtrasSql,
  RELATIONS_SQL,
  type RelationRow,
  ROUTINES_SQL,
  type RoutineRow,
} from './relations-query.js';
import { otherNotes, refusalOf, relationNotes } from './unsayable.js';

/** Everything that the files of one tenant are made of. */
export interface TenantFacts {
  readonly schema: string;
  /** Tables and materialized views that the format can say, in order of creation. */
  readonly tables: readonly TableShape[];
  readonly views: ReadonlyMap<string, ViewFacts>;
  readonly extensions: readonly DesiredExtension[];
  readonly names: NameResolver;
  /** Columns of the tenant that own a sequence, as `table.column`, by the sequence. */
  readonly sequences: ReadonlyMap<string, string | null>;
  /** What of the tables no file can say, by {@link itemKey}. */
  readonly refused: ReadonlyMap<string, string>;
  readonly notes: readonly Note[];
  /** In how many schemas a table of a name stands. */
  readonly held: ReadonlyMap<string, { readonly alike: number; readonly others: number }>;
}

/** What a materialized view is beside its shape. */
export interface ViewFacts {
  /** Its SELECT, relative to the tenant. */
  readonly query: string;
  readonly populated: boolean;
  readonly reads: readonly { readonly schema: string; readonly table: string }[];
}

/**
 * Reads one tenant from the catalogs. Locks what its materialized views read for the length of a statement, nothing else.
 * @throws {TrueupError} UNKNOWN_SCHEMA; TENANT_UNREADABLE where there is nothing to write, or an interrupted run's leftovers.
 */
export async function readTenant(session: Session, schema: string): Promise<TenantFacts> {
  const read = await inTransaction(session, 'read only snapshot', () => readRelations(session, schema));
  const { relations } = read;
  const refusedRelations = relations.flatMap((relation) => {
    const why = refusalOf(relation);
    return why === null ? [] : [{ relation, why }];
  });
  const gone = new Set(refusedRelations.map(({ relation }) => relation.oid));
  const kept = relations.filter((relation) => !gone.has(relation.oid) && 'rm'.includes(relation.relkind));
  if (kept.length === 0) throw nothingToWrite(schema, relations.length);

  const oids = kept.map((relation) => relation.oid);
  const extensions = inOrder(await session.query<NeededExtensionRow>(NEEDED_EXTENSIONS_SQL, [oids]));
  const snapshot = await readCatalog(session, bareState(schema, kept, extensions), selected(schema));
  const tables = snapshot.groups.flatMap((group) => [...group.tables.values()].map((table) => table.shape));
  const inCreation = kept.flatMap((relation) => tables.find((table) => table.name === relation.name) ?? []);
  refuseLeftovers(schema, inCreation);

  const held = await session.query<HeldRow>(HELD_SQL, [kept.map((relation) => relation.name)]);
  return {
    schema,
    tables: inCreation,
    views: await readViews(session, schema, kept, snapshot.names),
    extensions,
    names: snapshot.names,
    sequences: new Map(relations.flatMap((one) => (one.relkind === 'S' ? [[one.name, one.owner] as const] : []))),
    refused: new Map(
      read.extras.map(({ table, name, why }) => [itemKey({ kind: 'constraint', table, name }), why] as const),
    ),
    notes: [...relationNotes(relations), ...otherNotes(read.routines)],
    held: new Map(held.map(({ name, alike, others }) => [name, { alike, others }])),
  };
}

async function readRelations(session: Session, schema: string) {
  const found = await discover(session, schema);
  const oid = found.tenants[0]?.oid ?? '0';
  return {
    relations: await session.query<RelationRow>(RELATIONS_SQL, [oid]),
    routines: await session.query<RoutineRow>(ROUTINES_SQL, [oid]),
    extras: await session.query<ConstraintExtraRow>(constraintExtrasSql(session.serverVersion), [oid]),
  };
}

async function discover(session: Session, schema: string) {
  try {
    return await discoverTenants(session, ruleOf(schema), selected(schema));
  } catch (error) {
    if (!(error instanceof TrueupError) || error.code !== 'UNKNOWN_SCHEMA') throw error;
    // What does not exist is not to be made here.
    const meant = /^did you mean .*?\?/u.exec(error.options.remedy ?? '')?.[0];
    throw new TrueupError('UNKNOWN_SCHEMA', error.message, {
      where: `--schema ${schema}`,
      remedy: meant ?? 'name a schema that holds the application’s tables',
    });
  }
}

async function readViews(
  session: Session,
  schema: string,
  relations: readonly RelationRow[],
  names: NameResolver,
): Promise<ReadonlyMap<string, ViewFacts>> {
  const isForeign = isForeignIn(schema, names);
  const views = new Map<string, ViewFacts>();
  for (const view of relations.filter((relation) => relation.relkind === 'm')) {
    const [row] = await session.query<Row & { def: string | null }>('select pg_catalog.pg_get_viewdef($1::oid) def', [
      view.oid,
    ]);
    views.set(view.name, {
      query: await relativeQuery(schema, (row?.def ?? '').trim().replace(/;$/u, ''), isForeign),
      populated: view.populated,
      reads: view.reads.map(([of, table]) => ({ schema: of, table })),
    });
  }
  return views;
}

/** Of a run that was interrupted, part is done and part is not: no state to write down. */
function refuseLeftovers(schema: string, tables: readonly TableShape[]): void {
  const names = tables.flatMap((table) =>
    [...table.columns, ...table.constraints, ...table.indexes]
      .filter(({ name }) => isTemporary(name))
      .map(({ name }) => `${table.name}.${name}`),
  );
  if (names.length === 0) return;
  throw new TrueupError(
    'TENANT_UNREADABLE',
    `schema "${schema}" holds what an interrupted run of trueup left behind: ${names.slice(0, 5).join(', ')}${names.length > 5 ? ' …' : ''}`,
    { where: `--schema ${schema}`, remedy: 'finish that run (trueup apply), or drop these objects, then inspect' },
  );
}

function nothingToWrite(schema: string, relations: number): TrueupError {
  return new TrueupError(
    'TENANT_UNREADABLE',
    relations === 0
      ? `schema "${schema}" holds no table`
      : `schema "${schema}" holds nothing that the format can say: no plain table, no materialized view`,
    { where: `--schema ${schema}`, remedy: 'name a schema that holds the application’s tables' },
  );
}
