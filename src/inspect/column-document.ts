import type { ColumnDocument, IdentityDocument } from '../desired-state/documents.js';
import type { ColumnShape, IdentityShape } from '../shape/table-shape.js';
import type { NameKind, NameResolver } from '../sql/names.js';
import { serialDefault, serialSequence } from '../sql/serial.js';
import { collationName, isNameSayable, said } from './sayable.js';

/** What a column's document depends on beside its shape. */
export interface ColumnContext {
  readonly table: string;
  readonly names: NameResolver;
  /** The owners of the tenant's sequences, as `table.column`. */
  readonly sequences: ReadonlyMap<string, string | null>;
}

/** A column as the format declares it, or why it cannot. */
export async function columnDocument(
  column: ColumnShape,
  context: ColumnContext,
): Promise<{ readonly document: ColumnDocument } | { readonly why: string }> {
  const { name, notNull, identity, generated } = column;
  if (!isNameSayable(name)) return { why: 'its name holds a control character' };
  // Declared either way it would be drift: it takes no more nulls, and may hold some.
  if (column.notNullAhead === true)
    return { why: 'its NOT NULL is NOT VALID, and the format declares what holds for every row' };
  if (generated?.kind === 'virtual') return { why: 'the format has no virtual generated columns' };
  const collation = column.collation === null ? null : collationName(column.collation);
  if (column.collation !== null && collation === null)
    return { why: `its collation ${column.collation.replaceAll('\u0001', 'schema')} is not one of pg_catalog` };
  const type = await said('type', withoutSchema('type', column.type, context.names));
  if ('why' in type) return { why: `its type: ${type.why}` };
  const serial = isSerial(column, context);
  const expression = serial ? null : (generated?.expression ?? column.default);
  const text = expression === null ? null : await said('expression', expression);
  if (text !== null && 'why' in text)
    return { why: `its ${generated === null ? 'default' : 'expression'}: ${text.why}` };
  return {
    document: {
      type: type.text,
      ...(collation === null ? {} : { collation }),
      ...(notNull && identity === null && !serial ? { nullable: false } : {}),
      ...(serial ? { serial } : {}),
      ...(text === null ? {} : { [generated === null ? 'default' : 'generated']: text.text }),
      ...(identity === null ? {} : { identity: identityDocument(identity, column.type) }),
    },
  };
}

/** Written bare, a name of an extension is found wherever a database keeps the extension. */
export function withoutSchema(kind: NameKind, sql: string, names: NameResolver, method?: string): string {
  const found = /^([a-z_][a-z0-9_]*)\.([a-z_][a-z0-9_]*)(?=$|[([])/u.exec(sql);
  const [, schema = '', name = ''] = found ?? [];
  if (found === null || names.extensionOf(kind, schema, name) === null) return sql;
  return names.schemaOf(kind, name, method) === schema ? sql.slice(schema.length + 1) : sql;
}

/** Exactly what bigserial makes: the default, NOT NULL, and a sequence of that name which the column owns. */
function isSerial(column: ColumnShape, { table, sequences }: ColumnContext): boolean {
  return (
    INTEGERS[column.type] !== undefined &&
    column.notNull &&
    column.default === serialDefault(table, column.name) &&
    sequences.get(serialSequence(table, column.name)) === `${table}.${column.name}`
  );
}

const INTEGERS: Readonly<Record<string, readonly [minimum: string, maximum: string]>> = {
  smallint: ['-32768', '32767'],
  integer: ['-2147483648', '2147483647'],
  bigint: ['-9223372036854775808', '9223372036854775807'],
};

/** Only what differs from CREATE SEQUENCE's defaults (its manual page), which the loader fills in. */
function identityDocument(identity: IdentityShape, type: string): IdentityDocument | IdentityShape['kind'] {
  const [least, most] = INTEGERS[type] ?? ['0', '0'];
  const down = identity.increment.startsWith('-');
  const minimum = down ? least : '1';
  const maximum = down ? '-1' : most;
  const options = {
    ...(identity.start === (down ? identity.maximum : identity.minimum) ? {} : { start: numeral(identity.start) }),
    ...(identity.increment === '1' ? {} : { increment: numeral(identity.increment) }),
    ...(identity.minimum === minimum ? {} : { minimum: numeral(identity.minimum) }),
    ...(identity.maximum === maximum ? {} : { maximum: numeral(identity.maximum) }),
    ...(identity.cache === '1' ? {} : { cache: numeral(identity.cache) }),
    ...(identity.cycle ? { cycle: true } : {}),
  };
  return Object.keys(options).length === 0 ? identity.kind : { kind: identity.kind, ...options };
}

/** A bigint does not fit a double: such a number stays text. */
const numeral = (text: string): number | string => (/^-?\d{1,15}$/u.test(text) ? Number(text) : text);
