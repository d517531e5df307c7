import { groupBy } from '../collections.js';
import type {
  ColumnShape,
  ConstraintShape,
  Deferrable,
  IdentityShape,
  IndexShape,
  ReferentialAction,
  TableReference,
  TableShape,
} from '../shape/table-shape.js';
import { parseIndexDefinition } from '../sql/index-definition.js';
import { isForeignIn, type NameResolver } from '../sql/names.js';
import { relativeTo } from '../sql/relative.js';
import type { ColumnRow, ConstraintRow, IndexRow, TableRow } from './detail-rows.js';

/** Everything that was read of some tables. */
export interface DetailRows {
  readonly tables: readonly TableRow[];
  readonly columns: readonly ColumnRow[];
  readonly constraints: readonly ConstraintRow[];
  readonly indexes: readonly IndexRow[];
}

/**
 * Shapes by the oid of the table that they were read from, and by index for indexes that were asked for alone.
 * @param apart indexes, by oid, that are no part of their table's shape
 */
export async function buildShapes(
  rows: DetailRows,
  names: NameResolver,
  apart: ReadonlySet<string>,
): Promise<{ readonly tables: ReadonlyMap<string, TableShape>; readonly indexes: ReadonlyMap<string, IndexShape> }> {
  const relative: Relative = (schema, text) => relativeTo(schema, text, isForeignIn(schema, names));
  const indexes = new Map<string, IndexShape>();
  const ofTable = new Map<string, IndexShape[]>();
  for (const row of rows.indexes) {
    const shape = await buildIndex(row, names);
    if (shape === null) continue;
    indexes.set(row.indexrelid, shape);
    if (!apart.has(row.indexrelid)) ofTable.set(row.indrelid, [...(ofTable.get(row.indrelid) ?? []), shape]);
  }
  const columns = groupBy(rows.columns, (row) => row.attrelid);
  const constraints = groupBy(rows.constraints, (row) => row.conrelid);
  const tables = new Map(
    rows.tables.map((row) => [
      row.oid,
      {
        name: row.relname,
        kind: KINDS[row.relkind] ?? 'table',
        persistence: row.relpersistence === 'u' ? 'unlogged' : 'permanent',
        columns: (columns.get(row.oid) ?? []).map((column) => buildColumn(column, relative)),
        constraints: (constraints.get(row.oid) ?? []).map((constraint) => buildConstraint(constraint, relative)),
        indexes: ofTable.get(row.oid) ?? [],
        ...(row.kin ? { hasKin: true } : {}),
      } satisfies TableShape,
    ]),
  );
  return { tables, indexes };
}

type Relative = (schema: string, text: string) => string;

function buildColumn(row: ColumnRow, relative: Relative): ColumnShape {
  const expression = row.default_expr === null ? null : relative(row.nspname, row.default_expr);
  return {
    name: row.attname,
    type: relative(row.nspname, row.type),
    collation: row.collation === null ? null : relative(row.nspname, row.collation),
    notNull: row.notnull,
    ...(row.notnullahead && !row.notnull ? { notNullAhead: true } : {}),
    default: row.attgenerated === '' ? expression : null,
    generated:
      row.attgenerated === '' || expression === null
        ? null
        : { expression, kind: row.attgenerated === 'v' ? 'virtual' : 'stored' },
    identity: buildIdentity(row),
  };
}

function buildIdentity(row: ColumnRow): IdentityShape | null {
  if (row.attidentity === '' || row.sequence === null) return null;
  const { start, increment, min, max, cache, cycle, type } = row.sequence;
  return {
    kind: row.attidentity === 'a' ? 'always' : 'by default',
    start,
    increment,
    minimum: min,
    maximum: max,
    cache,
    cycle,
    ...(type === null ? {} : { sequenceType: type }),
  };
}

function buildConstraint(row: ConstraintRow, relative: Relative): ConstraintShape {
  const base = {
    name: row.conname,
    validated: row.convalidated,
    ...(row.beyond === null ? {} : { beyond: row.beyond }),
  };
  const deferrable: Deferrable = !row.condeferrable ? 'no' : row.condeferred ? 'deferred' : 'immediate';
  switch (row.contype) {
    case 'p':
    case 'u':
      return {
        ...base,
        kind: row.contype === 'p' ? 'primary-key' : 'unique',
        columns: row.columns ?? [],
        include: row.include ?? [],
        nullsNotDistinct: row.nulls_not_distinct ?? false,
        deferrable,
        indexValid: row.index_valid ?? false,
        replicaIdentity: row.replica_identity ?? false,
      };
    case 'c':
      return {
        ...base,
        kind: 'check',
        expression: relative(row.nspname, row.expression ?? ''),
        noInherit: row.connoinherit,
      };
    case 'f':
      return {
        ...base,
        kind: 'foreign-key',
        columns: row.columns ?? [],
        references: referenced(row),
        referencedColumns: row.ref_columns ?? [],
        onUpdate: ACTIONS[row.confupdtype] ?? 'no action',
        onDelete: ACTIONS[row.confdeltype] ?? 'no action',
        match: row.confmatchtype === 'f' ? 'full' : row.confmatchtype === 'p' ? 'partial' : 'simple',
        deferrable,
      };
    default:
      return { ...base, kind: 'other' };
  }
}

const referenced = (row: ConstraintRow): TableReference => ({
  schema: row.ref_schema === row.nspname ? null : row.ref_schema,
  table: row.ref_table ?? '',
});

async function buildIndex(row: IndexRow, names: NameResolver): Promise<IndexShape | null> {
  if (row.indexdef === null) return null;
  const isForeign = isForeignIn(row.nspname, names);
  const definition = await parseIndexDefinition(row.indexdef, row.nspname, isForeign);
  const keys = definition.keys.map((key, at) => {
    const collation = key.collation === null ? (row.collations[at] ?? null) : null;
    return collation === null ? key : { ...key, ownCollation: relativeTo(row.nspname, collation, isForeign) };
  });
  return {
    name: row.relname,
    method: { name: row.amname, extension: row.amextension },
    unique: row.indisunique,
    nullsNotDistinct: row.nulls_not_distinct ?? false,
    keys,
    include: definition.include,
    options: Object.fromEntries((row.reloptions ?? []).map(splitOption)),
    where: definition.where,
    valid: row.valid,
    replicaIdentity: row.replica_identity,
  };
}

function splitOption(option: string): [string, string] {
  const at = option.indexOf('=');
  return at < 0 ? [option.toLowerCase(), ''] : [option.slice(0, at).toLowerCase(), option.slice(at + 1)];
}

const KINDS: Readonly<Record<string, TableShape['kind']>> = {
  m: 'materialized-view',
  p: 'partitioned-table',
  v: 'view',
  f: 'foreign-table',
};

const ACTIONS: Readonly<Record<string, ReferentialAction>> = {
  a: 'no action',
  r: 'restrict',
  c: 'cascade',
  n: 'set null',
  d: 'set default',
};
