import type { IndexDocument, IndexKeyDocument, MethodDocument, Scalar } from '../desired-state/documents.js';
import type { IndexKeyShape, IndexShape, MethodIdentity } from '../shape/table-shape.js';
import type { NameResolver } from '../sql/names.js';
import { withoutSchema } from './column-document.js';
import { collationName, escaped, isNameSayable, said } from './sayable.js';

/** An index as the format declares it, or why it cannot. */
export async function indexDocument(
  index: IndexShape,
  names: NameResolver,
): Promise<{ readonly document: IndexDocument } | { readonly why: string }> {
  if (!index.valid) return { why: 'it is INVALID: the leftover of a build that failed, or one that is under way' };
  if (!isNameSayable(index.name)) return { why: 'its name holds a control character' };
  if (!/^[a-z_][a-z0-9_]*$/u.test(index.method.name)) return { why: 'the format cannot name its access method' };
  const keys: (string | IndexKeyDocument)[] = [];
  for (const key of index.keys) {
    const made = await keyDocument(key, index.method, names);
    if ('why' in made) return made;
    keys.push(made.document);
  }
  const where = index.where === null ? null : await said('expression', index.where);
  if (where !== null && 'why' in where) return { why: `its predicate: ${where.why}` };
  return {
    document: {
      name: escaped(index.name),
      ...(index.unique ? { unique: true } : {}),
      ...(index.nullsNotDistinct ? { nulls_not_distinct: true } : {}),
      ...methodOf(index.method),
      keys,
      ...(index.include.length === 0 ? {} : { include: index.include }),
      ...(Object.keys(index.options).length === 0 ? {} : { options: optionsDocument(index.options) }),
      ...(where === null ? {} : { where: where.text }),
    },
  };
}

function methodOf({ name, extension }: MethodIdentity): { readonly method?: MethodDocument } {
  if (extension !== null) return { method: { name, extension } };
  return name === 'btree' ? {} : { method: name };
}

async function keyDocument(
  key: IndexKeyShape,
  method: MethodIdentity,
  names: NameResolver,
): Promise<{ readonly document: string | IndexKeyDocument } | { readonly why: string }> {
  const expression = key.expression === null ? null : await said('expression', key.expression);
  if (expression !== null && 'why' in expression) return { why: `its key: ${expression.why}` };
  const opclass =
    key.opclass === null
      ? null
      : await said('operator-class', withoutSchema('operator-class', key.opclass, names, method.name));
  if (opclass !== null && 'why' in opclass) return { why: `its operator class: ${opclass.why}` };
  const collation = key.collation === null ? null : collationName(key.collation);
  if (key.collation !== null && collation === null) return { why: 'the collation of its key is not one of pg_catalog' };
  const further = {
    ...(opclass === null ? {} : { opclass: opclass.text }),
    ...(Object.keys(key.opclassOptions).length === 0 ? {} : { opclass_options: optionsDocument(key.opclassOptions) }),
    ...(collation === null ? {} : { collation }),
    ...(key.order === 'asc' ? {} : { order: key.order }),
    ...(key.nulls === (key.order === 'asc' ? 'last' : 'first') ? {} : { nulls: key.nulls }),
  };
  if (expression !== null) return { document: { expression: expression.text, ...further } };
  const column = key.column ?? '';
  return { document: Object.keys(further).length === 0 ? column : { column, ...further } };
}

/** Options are kept as typed: a number is written as one only where it reads back as the same text. */
const optionsDocument = (options: Readonly<Record<string, string>>): Readonly<Record<string, Scalar>> =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name,
      /^(?:0|[1-9]\d{0,8})$/u.test(value) ? Number(value) : escaped(value),
    ]),
  );
