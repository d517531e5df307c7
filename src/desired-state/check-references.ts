import { shown, suggestion } from '../did-you-mean.js';
import { isKey } from '../shape/table-shape.js';
import type { DesiredConstraint, DesiredIndexBase, DesiredTable, SourcePosition } from './model.js';
import type { Problems } from './problems.js';

type ForeignKey = Extract<DesiredConstraint, { kind: 'foreign-key' }>;

/** Every column and table that an index, a constraint or a family names must be declared, by whichever phase. */
export function checkReferences(tables: readonly DesiredTable[], problems: Problems): void {
  const byName = new Map(tables.map((table) => [table.name, table]));
  for (const table of tables) {
    const columns = (names: readonly string[], what: string, source: SourcePosition, remedy = suggestion): void =>
      checkColumns(names, table, what, source, problems, remedy);
    for (const constraint of table.constraints) {
      const what = `constraint ${shown(constraint.name)}`;
      if (isKey(constraint)) {
        columns([...constraint.columns, ...constraint.include], what, constraint.source);
        twice(constraint.columns, what, constraint.source, problems);
      } else if (constraint.kind === 'foreign-key') {
        columns(constraint.columns, what, constraint.source);
        checkForeignKey(constraint, table, byName, problems);
      }
    }
    for (const index of table.indexes) columns(columnsOf(index), `index ${shown(index.name)}`, index.source, asKey);
    for (const family of table.families) {
      columns(columnsOf(family), `index family ${shown(family.label)}`, family.source, asKey);
      if (family.rows !== null && !byName.has(family.rows.table)) {
        unknownTable(family.rows.table, family.rows.source, byName, problems);
      }
    }
  }
}

const columnsOf = (index: DesiredIndexBase): readonly string[] => [
  ...index.keys.flatMap((key) => (key.column === null ? [] : [key.column])),
  ...index.include,
  ...(index.keyField === null ? [] : [index.keyField]),
];

function checkColumns(
  names: readonly string[],
  table: DesiredTable,
  what: string,
  source: SourcePosition,
  problems: Problems,
  remedy = suggestion,
): void {
  // A view's columns follow from its query, which only the server can tell.
  if (table.kind === 'materialized-view') return;
  const known = table.columns.map((column) => column.name);
  for (const name of names) {
    if (known.includes(name)) continue;
    problems.invalid(
      `${what} names the column ${shown(name)}, which ${shown(table.name)} does not have`,
      source,
      remedy(name, known),
    );
  }
}

/** What is to be written for what SQL allows among the keys of an index, where a column looks like it. */
function asKey(name: string, known: Iterable<string>): string {
  const ordered = /^(\w+)\s+(asc|desc)$/iu.exec(name);
  if (ordered !== null) return `write { column: ${ordered[1]}, order: ${ordered[2]?.toLowerCase()} }`;
  return /[(]/u.test(name) ? `an expression is written { expression: ${shown(name)} }` : suggestion(name, known);
}

function twice(names: readonly string[], what: string, source: SourcePosition, problems: Problems): void {
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined)
    problems.invalid(`${what} names the column ${shown(repeated)} twice`, source, 'name it once');
}

function unknownTable(
  name: string,
  source: SourcePosition,
  tables: ReadonlyMap<string, DesiredTable>,
  problems: Problems,
): void {
  problems.invalid(`there is no table ${shown(name)}`, source, suggestion(name, tables.keys()));
}

function checkForeignKey(
  key: ForeignKey,
  table: DesiredTable,
  tables: ReadonlyMap<string, DesiredTable>,
  problems: Problems,
): void {
  const what = `foreign key ${shown(key.name)}`;
  checkActions(key, table, problems);
  if (key.columns.length !== key.referencedColumns.length) {
    problems.invalid(
      `${what} has ${key.columns.length} columns and references ${key.referencedColumns.length}`,
      key.source,
      'give as many on both sides',
    );
    return;
  }
  if (key.references.schema !== null) {
    checkShared(key, what, key.references.schema, problems);
    return;
  }
  const target = tables.get(key.references.table);
  if (target === undefined || target.kind !== 'table') {
    unknownTable(key.references.table, key.source, tables, problems);
    return;
  }
  if (table.persistence !== 'unlogged' && target.persistence === 'unlogged')
    problems.invalid(
      `${what} of a logged table references ${target.name}, which is unlogged`,
      key.source,
      'make both of them logged, or both unlogged',
    );
  const known = target.columns.map((column) => column.name);
  if (key.referencedColumns.some((name) => !known.includes(name))) {
    checkColumns(key.referencedColumns, target, what, key.source, problems);
    return;
  }
  if (uniqueKeys(target).some((columns) => same(columns, key.referencedColumns))) return;
  problems.invalid(
    `${what} references ${target.name} (${key.referencedColumns.join(', ')}), which no primary key, unique constraint or unique index covers`,
    key.source,
    `declare one on ${target.name}`,
  );
}

/** No file declares what all tenants share: plan looks at the database for it. */
function checkShared(key: ForeignKey, what: string, schema: string, problems: Problems): void {
  twice(key.referencedColumns, what, key.source, problems);
  if (/^pg_|^information_schema$/u.test(schema))
    problems.invalid(`${what} is onto the schema ${shown(schema)}, which is the system's`, key.source, 'name another');
}

/** PostgreSQL takes no action that would write a generated column. */
function checkActions(key: ForeignKey, table: DesiredTable, problems: Problems): void {
  const generated = table.columns.find(({ name, generated: by }) => by !== null && key.columns.includes(name));
  if (generated === undefined) return;
  const writes = [
    ...(['set null', 'set default'].includes(key.onDelete) ? [`on_delete ${key.onDelete}`] : []),
    ...(['set null', 'set default', 'cascade'].includes(key.onUpdate) ? [`on_update ${key.onUpdate}`] : []),
  ];
  for (const action of writes)
    problems.invalid(
      `foreign key ${shown(key.name)} has ${action}, which would write the generated column ${shown(generated.name)}`,
      key.source,
      'choose another action',
    );
}

/** Column sets that a foreign key may reference: not those of partial or expression indexes, nor deferrable keys. */
function uniqueKeys(table: DesiredTable): readonly (readonly string[])[] {
  const constraints = table.constraints.flatMap((constraint) =>
    isKey(constraint) && constraint.deferrable === 'no' ? [constraint.columns] : [],
  );
  const indexes = table.indexes
    .filter((index) => index.unique && index.where === null && index.keys.every((key) => key.column !== null))
    .map((index) => index.keys.flatMap((key) => (key.column === null ? [] : [key.column])));
  return [...constraints, ...indexes];
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && [...a].sort().join('\0') === [...b].sort().join('\0');
