import { referenceName } from '../shape/table-reference.js';
import { type IndexShape, isKey, type KeyConstraintShape, type TableShape } from '../shape/table-shape.js';
import { isTemporary } from '../sql/temporary-name.js';
import { type Change, key } from './change.js';
import { constrainedColumns } from './constraint-facets.js';
import type { DiffContext } from './context.js';
import type { ExistingColumn } from './existing-column.js';
import { usesReplaced, withFamilies } from './indexed-columns.js';
import { restingOn, underForeignKeys } from './referenced-keys.js';

/** Types among which foreign keys, and most expressions, hold: their columns are altered one by one. */
const ALIKE = [
  /^(?:smallint|integer|bigint|int[248]?)$/iu,
  /^(?:text|(?:varchar|character varying)\s*(?:\(\d+\))?)$/iu,
];

const alike = (one: string, other: string): boolean =>
  one === other || ALIKE.some((types) => types.test(one.trim()) && types.test(other.trim()));

/**
 * Columns that foreign keys tie together, and whose types have nothing in common with the declared ones: they change together
 * or not at all, so that no key is given up for a column that stays. Null: the column is of no foreign key.
 */
export function referenceGroup({ wanted, existing, actual, context }: ExistingColumn): string | null {
  if (alike(wanted.type, existing.type)) return null;
  const root = rootOf(actual, wanted.name, context);
  const isOfSome = root !== placeOf(actual, wanted.name) || referencesTo(actual, wanted.name, context).length > 0;
  return isOfSome ? `references to ${root}` : null;
}

/** The column at the end of a chain of foreign keys; keys in a ring have one too, for each of their columns. */
function rootOf(
  table: TableShape,
  column: string,
  context: DiffContext,
  seen: ReadonlySet<string> = new Set(),
): string {
  const place = placeOf(table, column);
  const [own] = references(table, column);
  if (own === undefined || seen.has(own.to)) return place;
  const next = own.table.schema === null ? context.actualTables.get(own.table.table) : undefined;
  return next === undefined ? own.to : rootOf(next, own.column, context, new Set([...seen, place]));
}

/** Whether ALTER TYPE would fail for what stands on the column in an empty table, though it may all be made again. */
export function standsInTheWay({ wanted, existing, actual, context }: ExistingColumn): boolean {
  if (alike(wanted.type, existing.type)) return false;
  const named = (text: string | null) => text !== null && context.facts.columnsOf(text).includes(wanted.name);
  return (
    references(actual, wanted.name).length > 0 ||
    actual.constraints.some((constraint) => constraint.kind === 'check' && named(constraint.expression)) ||
    withFamilies(actual, context).some(
      ({ method, keys, where }) =>
        named(where) ||
        keys.some(
          (item) =>
            named(item.expression) ||
            // Built again with the default operator class of the new type, which a method like gin may lack.
            (item.column === wanted.name && (item.opclass !== null || method.name !== 'btree')),
        ),
    )
  );
}

/** A column of keys that foreign keys rest on: changed after theirs, and not at all where one of them keeps its type. */
export function afterReferences(made: Change, { wanted, existing, actual, context }: ExistingColumn): Change {
  if (made.action === 'alter-column' && alike(wanted.type, existing.type)) return made;
  const { name } = wanted;
  const retyped = referencesTo(actual, name, context).filter(({ from, column }) => isRetyped(from, column, context));
  const going = new Set(retyped.map(({ foreignKey, from }) => `foreign key ${foreignKey} of table ${from.name}`));
  const over = indexesOver(name, actual, context).flatMap((index) => restingOn(index, actual.name, context));
  // By whichever index: a family's member is not among those.
  const resting = [...over, ...context.facts.references(actual.name, name).map(({ foreignKey }) => foreignKey)];
  const staying = [...new Set(resting)].filter((foreignKey) => !going.has(foreignKey));
  const needs = [...made.needs, ...retyped.map(({ from, column }) => key.column(from.name, column))];
  return underForeignKeys({ ...made, needs }, staying, 'a key over the column');
}

/** The indexes and keys that go with a column. */
export const indexesOver = (
  column: string,
  { indexes, constraints }: TableShape,
  context: DiffContext,
): readonly (IndexShape | KeyConstraintShape)[] => [
  ...indexes.filter((index) => usesReplaced(index, new Set([column]), context)),
  ...constraints.filter(isKey).filter((one) => [...one.columns, ...one.include].includes(column)),
];

/** What goes with a column and does not come again, since nothing declares it, in words. */
export function undeclaredOver(column: string, actual: TableShape, context: DiffContext): readonly string[] {
  const { constraints = [], indexes = [] } = context.tables.find(({ name }) => name === actual.name) ?? {};
  const declared = new Set([...constraints, ...indexes].map(({ name }) => name));
  const isMore = ({ name }: { readonly name: string }) => !declared.has(name) && !isTemporary(name);
  return [
    ...actual.constraints.flatMap((one) =>
      isMore(one) && constrainedColumns(one, context).includes(column) ? `constraint ${one.name}` : [],
    ),
    ...actual.indexes.flatMap((index) =>
      isMore(index) && usesReplaced(index, new Set([column]), context) ? `index ${index.name}` : [],
    ),
    ...context.facts.goingAlong(actual.name, column),
  ];
}

function isRetyped(table: TableShape, column: string, { tables, facts }: DiffContext): boolean {
  const wanted = tables.find(({ name }) => name === table.name)?.columns.find(({ name }) => name === column);
  const existing = table.columns.find(({ name }) => name === column);
  if (wanted === undefined || existing === undefined || alike(wanted.type, existing.type)) return false;
  return !facts.sameType(wanted.type, existing.type);
}

const referencesTo = (table: TableShape, column: string, { actualTables }: DiffContext) =>
  [...actualTables.values()].flatMap((from) =>
    from.columns.flatMap(({ name }) =>
      references(from, name).flatMap(({ foreignKey, to }) =>
        to === placeOf(table, column) ? [{ foreignKey, from, column: name }] : [],
      ),
    ),
  );

const placeOf = ({ name }: TableShape, column: string): string => `${name}.${column}`;

const references = ({ constraints }: TableShape, column: string) =>
  constraints.flatMap((constraint) => {
    if (constraint.kind !== 'foreign-key' || !constraint.columns.includes(column)) return [];
    const { name: foreignKey, references: table } = constraint;
    const referenced = constraint.referencedColumns[constraint.columns.indexOf(column)] ?? '';
    return [{ foreignKey, table, column: referenced, to: `${referenceName(table)}.${referenced}` }];
  });
