import { asOneIndex } from '../desired-state/as-one-index.js';
import type { DesiredIndexBase, DesiredState, DesiredTable } from '../desired-state/model.js';
import { type ConstraintShape, type IndexShape, isKey, type TableShape } from '../shape/table-shape.js';
import { columnsOf } from '../sql/columns-of.js';
import { TEMPORARY_PREFIX } from '../sql/temporary-name.js';
import { isDigested } from './ownership-filter.js';

/**
 * What of a table can bear on a plan that leaves phases out. Only that is hashed, and only that is left of its shape: what
 * a hash does not cover, no diff can go by.
 */
export interface Relevance {
  readonly table: string;
  /** Declared ones, those that declared expressions name, and those that a phase may own indexes by, or ignores. */
  readonly columns: readonly string[];
  /** Of those, the ones whose defaults and constraints bear on it as well: declared ones, and those to own indexes by. */
  readonly changeable: readonly string[];
  /** Of declared indexes: whatever stands under one is in its way, a constraint too. */
  readonly names: readonly string[];
  /** Methods of which any index may be in the way. */
  readonly methods: readonly string[];
  /**
   * With these begin the names of family members, and of what may be taken for one: only where members are read one by one. Where
   * they are compared by digest, what stands under the name of one shows as a member that is missing, and that tenant's are
   * read in detail.
   */
  readonly prefixes: readonly string[];
  /** No more of it is asked for than whether it is there: only a family's rows stand in it. */
  readonly bare: boolean;
}

/**
 * What bears on a plan of the phases that this run selects, by table; a table that is left out bears on it with all it
 * has, and so do all where nothing is left out of the run: what nobody declares is counted then. A table with declared
 * constraints, or a view, is never cut: a constraint's fate may hang on any other of its table. Where that leaves few to be
 * cut, none is: to tell them apart costs the others more than it saves.
 */
export async function relevanceOf(desired: DesiredState): Promise<readonly Relevance[]> {
  if (desired.phases.every((phase) => phase.selected)) return [];
  const owned = desired.phases.flatMap(({ owns }) => owns?.columns ?? []);
  const ignored = desired.phases.flatMap(({ owns }) => owns?.ignoring ?? []);
  const methods = desired.phases.flatMap(({ owns }) => owns?.methods ?? []);
  const declared = await Promise.all(
    desired.tables
      .filter((table) => table.view === null && table.constraints.length === 0)
      .map(async (table) => ({
        table: table.name,
        columns: [...new Set([...owned, ...ignored, ...(await namedColumns(table))])],
        changeable: [...new Set([...owned, ...table.columns.map((column) => column.name)])],
        names: table.indexes.map((index) => index.name),
        methods: [...new Set([...methods, ...[...table.indexes, ...table.families].flatMap(methodOfOne)])],
        prefixes: isDigested(table)
          ? []
          : table.families.map(({ name: [first] }) => (typeof first === 'string' ? first : '')),
        bare: false,
      })),
  );
  const known = new Set(desired.tables.map((table) => table.name));
  const sources = desired.tables.flatMap((table) => table.families.flatMap((family) => family.rows?.table ?? []));
  const others = [...new Set(sources)].filter((source) => !known.has(source));
  const cut = [
    ...declared,
    ...others.map((table) => ({
      table,
      columns: [],
      changeable: [],
      names: [],
      methods: [],
      prefixes: [],
      bare: true,
    })),
  ];
  return 2 * cut.length > desired.tables.length + others.length ? cut : [];
}

/** A method that permits one index on a table. */
const methodOfOne = ({ onePerTable, method }: DesiredIndexBase): readonly string[] =>
  onePerTable ? [method.name] : [];

async function namedColumns(table: DesiredTable): Promise<readonly string[]> {
  const indexes = [
    ...table.indexes,
    // Only the columns that a predicate names are asked for.
    ...table.families.map(asOneIndex),
  ];
  const expressions = [
    ...table.columns.flatMap((column) => [column.default, column.generated?.expression ?? null]),
    ...indexes.flatMap((index) => [
      index.where,
      index.requiresRows?.where ?? null,
      ...index.keys.map((key) => key.expression),
    ]),
  ];
  const named = await Promise.all(expressions.map((text) => (text === null ? [] : columnsOf(text))));
  return [
    ...table.columns.map((column) => column.name),
    ...indexes.flatMap((index) => [...index.include, ...index.keys.flatMap((key) => key.column ?? [])]),
    ...named.flat(),
  ];
}

/** A shape with nothing but what bears on the plan; `tables` are the tables of which it asks more than whether they are there. */
export function relevantShape(shape: TableShape, relevance: Relevance, tables: ReadonlySet<string>): TableShape {
  const columns = new Set(relevance.columns);
  const changeable = new Set(relevance.changeable);
  const names = new Set(relevance.names);
  const isColumn = (name: string) => columns.has(name) || name.startsWith(TEMPORARY_PREFIX);
  const isChangeable = (name: string) => changeable.has(name) || name.startsWith(TEMPORARY_PREFIX);
  const isIndex = (index: IndexShape) =>
    !index.valid ||
    names.has(index.name) ||
    relevance.methods.includes(index.method.name) ||
    index.name.startsWith(TEMPORARY_PREFIX) ||
    relevance.prefixes.some((prefix) => index.name.startsWith(prefix));
  const isConstraint = (constraint: ConstraintShape) =>
    names.has(constraint.name) ||
    constraint.name.startsWith(TEMPORARY_PREFIX) ||
    ('columns' in constraint && constraint.columns.some(isChangeable)) ||
    (isKey(constraint) && !constraint.indexValid) ||
    (constraint.kind === 'foreign-key' &&
      constraint.references.schema === null &&
      tables.has(constraint.references.table));
  return {
    ...shape,
    columns: shape.columns
      .filter(({ name }) => isColumn(name))
      .map((column) =>
        isChangeable(column.name) ? column : { ...column, default: null, generated: null, identity: null },
      ),
    constraints: shape.constraints.filter(isConstraint),
    indexes: shape.indexes.filter(isIndex),
  };
}
