import type { Surroundings } from '../catalog/surroundings.js';
import { known } from '../collections.js';
import type {
  DesiredColumn,
  DesiredConstraint,
  DesiredIndexBase,
  DesiredTable,
  NamePart,
} from '../desired-state/model.js';
import type { NameResolver } from '../sql/names.js';
import { ownNames } from '../sql/own-names.js';
import { qualifyNames, qualifyOperatorClass } from '../sql/qualify.js';
import { quoteIdentifier } from '../sql/quote.js';

/** The declared tables as one database understands them, each resolved once, and as one list as long as they are one. */
export async function resolveNames(
  tables: readonly DesiredTable[],
  { names, tables: resolved, lists }: Pick<Surroundings, 'names' | 'tables' | 'lists'>,
): Promise<readonly DesiredTable[]> {
  const had = lists.get(tables);
  if (had !== undefined) return had;
  const open = tables.filter((table) => !resolved.has(table));
  for (const [at, table] of (await resolveAll(open, names)).entries()) resolved.set(known(open[at], 'a table'), table);
  const list = tables.map((table) => known(resolved.get(table), 'a resolved table'));
  lists.set(tables, list);
  return list;
}

/**
 * The declared tables as one database understands them: bare names of extensions' types, functions and operator classes
 * qualified by the schema where the extension really lives there, so that sessions need no search_path.
 */
async function resolveAll(tables: readonly DesiredTable[], names: NameResolver): Promise<readonly DesiredTable[]> {
  return Promise.all(
    tables.map(async (table) => ({
      ...table,
      columns: await Promise.all(table.columns.map((column) => resolveColumn(column, names))),
      constraints: await Promise.all(table.constraints.map((constraint) => resolveConstraint(constraint, names))),
      indexes: await Promise.all(
        table.indexes.map(async (index) => ({
          ...(await resolveIndex(index, names)),
          where: await expression(index.where, names),
        })),
      ),
      families: await Promise.all(table.families.map((family) => resolveIndex(family, names))),
      view: table.view === null ? null : { ...table.view, query: await qualifyNames('query', table.view.query, names) },
    })),
  );
}

async function resolveColumn(column: DesiredColumn, names: NameResolver): Promise<DesiredColumn> {
  const type = await qualifyNames('type', column.type, names);
  // The sequence of a serial column is made with it.
  const expressions = [column.serial === true ? null : column.default, column.generated?.expression ?? null];
  const found = [
    ownNames('type', column.type),
    ...expressions.map(async (text) => (text === null ? [] : ownNames('expression', text))),
  ];
  return {
    ...column,
    finds: (await Promise.all(found)).flat(),
    type,
    typeTemplate: sameHead(column.typeTemplate, column.type, type),
    collation: collation(column.collation),
    default: await expression(column.default, names),
    generated:
      column.generated === null
        ? null
        : { ...column.generated, expression: await qualifyNames('expression', column.generated.expression, names) },
  };
}

/** What qualification put in front of the type goes in front of its template. */
function sameHead(template: readonly NamePart[], bare: string, qualified: string): readonly NamePart[] {
  const added = qualified.slice(0, qualified.length - bare.length);
  const [head, ...tail] = template;
  return added === '' || typeof head !== 'string' ? template : [`${added}${head}`, ...tail];
}

async function resolveConstraint(constraint: DesiredConstraint, names: NameResolver): Promise<DesiredConstraint> {
  if (constraint.kind !== 'check') return constraint;
  return { ...constraint, expression: await qualifyNames('expression', constraint.expression, names) };
}

async function resolveIndex<T extends DesiredIndexBase>(index: T, names: NameResolver): Promise<T> {
  const keys = await Promise.all(
    index.keys.map(async (key) => ({
      ...key,
      expression: await expression(key.expression, names),
      opclass: key.opclass === null ? null : await qualifyOperatorClass(key.opclass, names, index.method.name),
      collation: collation(key.collation),
    })),
  );
  return { ...index, keys };
}

const expression = async (text: string | null, names: NameResolver): Promise<string | null> =>
  text === null ? null : qualifyNames('expression', text, names);

/** A bare collation name as the catalog prints it; one that is quoted or qualified already stays. */
const collation = (name: string | null): string | null =>
  name === null || /[".]/u.test(name) ? name : quoteIdentifier(name);
