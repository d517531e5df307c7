import type {
  CheckDocument,
  ColumnDocument,
  ForeignKeyDocument,
  IndexDocument,
  KeyDocument,
} from '../desired-state/documents.js';
import { type ConstraintShape, isKey, type TableReference, type TableShape } from '../shape/table-shape.js';
import { columnsOf } from '../sql/columns-of.js';
import { columnDocument } from './column-document.js';
import { constraintDocument } from './constraint-document.js';
import { indexDocument } from './index-document.js';
import { columnKey, type Item, itemKey, tableKey } from './items.js';
import type { TenantFacts } from './read-tenant.js';
import { isNameSayable, said } from './sayable.js';

/** One object of the tenant as the format declares it, and what it needs there. */
export type Sketched = Item & {
  /** Keys of items without which it means nothing. */
  readonly needs: readonly string[];
} & (
    | { readonly kind: 'table'; readonly view: string | null; readonly unlogged: boolean }
    | { readonly kind: 'column'; readonly document: ColumnDocument }
    | { readonly kind: 'constraint'; readonly made: SketchedConstraint }
    | { readonly kind: 'index'; readonly document: IndexDocument; readonly unique: readonly string[] | null }
  );

/** A constraint with the list of the format that it stands in. */
export type SketchedConstraint =
  | { readonly as: 'primary_key'; readonly document: KeyDocument; readonly unique: readonly string[] | null }
  | { readonly as: 'unique'; readonly document: KeyDocument; readonly unique: readonly string[] | null }
  | { readonly as: 'checks'; readonly document: CheckDocument }
  | {
      readonly as: 'foreign_keys';
      readonly document: ForeignKeyDocument;
      readonly references: TableReference & { readonly columns: readonly string[] };
    };

/** Everything that the format can say of a tenant, object by object, and what it cannot. */
export interface Sketch {
  readonly items: readonly Sketched[];
  /** Why an item is left out, by {@link itemKey}. */
  readonly refused: ReadonlyMap<string, { readonly item: Item; readonly why: string }>;
}

/** Puts every table, column, constraint and index of the tenant into the format's words. */
export async function sketchOf(tenant: TenantFacts): Promise<Sketch> {
  const items: Sketched[] = [];
  const refused = new Map<string, { item: Item; why: string }>();
  const refuse = (item: Item, why: string): void => {
    refused.set(itemKey(item), { item, why });
  };
  for (const table of tenant.tables) {
    const view = tenant.views.get(table.name);
    const asView = view === undefined ? {} : { isView: true as const };
    const own: Item = { kind: 'table', table: table.name, name: table.name, ...asView };
    const query = view === undefined ? null : await said('query', view.query);
    const foreign = view?.reads.find((read) => read.schema !== tenant.schema);
    if (!isNameSayable(table.name)) refuse(own, 'its name holds a control character');
    else if (query !== null && 'why' in query) refuse(own, `its query: ${query.why}`);
    else if (foreign !== undefined) refuse(own, `it reads ${foreign.schema}.${foreign.table}, of another schema`);
    const needs = (view?.reads ?? []).map((read) => tableKey(read.table));
    items.push({
      ...own,
      kind: 'table',
      needs,
      view: query !== null && 'text' in query ? query.text : null,
      unlogged: table.persistence === 'unlogged',
    });
    if (view === undefined) await sketchColumns(table, tenant, items, refuse);
    if (view === undefined) await sketchConstraints(table, tenant, items, refuse);
    await sketchIndexes(table, tenant, items, refuse);
  }
  return { items, refused };
}

type Refuse = (item: Item, why: string) => void;

async function sketchColumns(table: TableShape, tenant: TenantFacts, items: Sketched[], refuse: Refuse) {
  const { names, sequences } = tenant;
  for (const column of table.columns) {
    const item = { kind: 'column', table: table.name, name: column.name } as const;
    const made = await columnDocument(column, { table: table.name, names, sequences });
    if ('why' in made) {
      refuse(item, made.why);
      continue;
    }
    const needs = [tableKey(table.name), ...(await columnsNamed(table, [column.generated?.expression ?? null]))];
    items.push({ ...item, needs, document: made.document });
  }
}

async function sketchConstraints(table: TableShape, tenant: TenantFacts, items: Sketched[], refuse: Refuse) {
  const known = new Set(tenant.tables.map((one) => one.name));
  for (const constraint of table.constraints) {
    const item = { kind: 'constraint', table: table.name, name: constraint.name } as const;
    const extra = tenant.refused.get(itemKey(item));
    const stranger =
      constraint.kind === 'foreign-key' &&
      constraint.references.schema === null &&
      !known.has(constraint.references.table)
        ? `it references ${constraint.references.table}, which the files do not declare`
        : undefined;
    const why = extra ?? stranger;
    const made = why === undefined ? await constraintDocument(constraint) : { why };
    if ('why' in made) {
      refuse(item, made.why);
      continue;
    }
    const needs = [tableKey(table.name), ...(await needsOf(constraint, table))];
    items.push({ ...item, needs, made: placed(constraint, made.document) });
  }
}

function placed(
  constraint: ConstraintShape,
  document: KeyDocument | CheckDocument | ForeignKeyDocument,
): SketchedConstraint {
  if (constraint.kind === 'check') return { as: 'checks', document: document as CheckDocument };
  if (constraint.kind === 'foreign-key') {
    const references = { ...constraint.references, columns: constraint.referencedColumns };
    return { as: 'foreign_keys', document: document as ForeignKeyDocument, references };
  }
  const unique = 'deferrable' in constraint && constraint.deferrable === 'no' ? constraint.columns : null;
  return {
    as: constraint.kind === 'primary-key' ? 'primary_key' : 'unique',
    document: document as KeyDocument,
    unique,
  };
}

async function needsOf(constraint: ConstraintShape, table: TableShape): Promise<readonly string[]> {
  if (constraint.kind === 'other') return [];
  if (constraint.kind === 'check') return columnsNamed(table, [constraint.expression]);
  const own = [...constraint.columns, ...(isKey(constraint) ? constraint.include : [])];
  const keys = own.map((column) => columnKey(table.name, column));
  if (constraint.kind !== 'foreign-key') return keys;
  const { references, referencedColumns } = constraint;
  // What all tenants share is no part of the files.
  if (references.schema !== null) return keys;
  const of = references.table;
  return [...keys, tableKey(of), ...referencedColumns.map((column) => columnKey(of, column))];
}

async function sketchIndexes(table: TableShape, tenant: TenantFacts, items: Sketched[], refuse: Refuse) {
  for (const index of table.indexes) {
    const item = { kind: 'index', table: table.name, name: index.name } as const;
    const made = await indexDocument(index, tenant.names);
    if ('why' in made) {
      refuse(item, made.why);
      continue;
    }
    const columns = [...index.keys.flatMap((key) => key.column ?? []), ...index.include];
    const expressions = [...index.keys.map((key) => key.expression), index.where];
    const isView = table.kind === 'materialized-view';
    const needs = [
      tableKey(table.name),
      ...(isView ? [] : columns.map((column) => columnKey(table.name, column))),
      ...(isView ? [] : await columnsNamed(table, expressions)),
    ];
    const plain = index.unique && index.where === null && index.keys.every((key) => key.column !== null);
    const unique = plain ? index.keys.flatMap((key) => key.column ?? []) : null;
    items.push({ ...item, needs, document: made.document, unique });
  }
}

/** The table's columns that expressions name. */
async function columnsNamed(table: TableShape, expressions: readonly (string | null)[]): Promise<readonly string[]> {
  const own = new Set(table.columns.map((column) => column.name));
  const found: string[] = [];
  for (const expression of expressions)
    if (expression !== null) found.push(...(await columnsOf(expression)).filter((name) => own.has(name)));
  return found.map((name) => columnKey(table.name, name));
}
