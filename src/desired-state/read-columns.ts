import { shown } from '../did-you-mean.js';
import type { IdentityShape } from '../shape/table-shape.js';
import { quoteIdentifier } from '../sql/quote.js';
import { serialDefault } from '../sql/serial.js';
import type { ColumnDocument, IdentityDocument, TableDocument } from './documents.js';
import type { DesiredColumn } from './model.js';
import { join, type Reading } from './reading.js';
import { SYSTEM_COLUMNS } from './system-columns.js';
import { keyAt, type Place, within } from './yaml-file.js';

/** The columns of a table's `columns`. */
export function readColumns(table: TableDocument, place: Place, reading: Reading): readonly DesiredColumn[] {
  return Object.entries(table.columns ?? {}).flatMap(([name, entry]) => {
    const at = within(place, 'columns', name);
    const short = typeof entry === 'string';
    const column = short ? { type: entry } : entry;
    if (!short && !reading.active(column, at)) return [];
    reading.key(name, at);
    // The server refuses to create it.
    if (SYSTEM_COLUMNS.includes(name)) {
      const taken = `the column ${shown(name)} has the name of a system column, which every table has`;
      reading.problems.invalid(taken, keyAt(at), 'rename it');
    }
    return [readColumn(name, column, at, short ? at : within(at, 'type'), reading)];
  });
}

function readColumn(name: string, column: ColumnDocument, at: Place, typeAt: Place, reading: Reading): DesiredColumn {
  const computed = ['default', 'generated', 'identity', 'serial'].filter((key) => Object.hasOwn(column, key));
  if (computed.length > 1) {
    reading.invalid(`column ${shown(name)} has both ${computed.join(' and ')}`, at, 'keep one of them');
  }
  if (column.filled_by === 'database' && computed.length === 0) {
    reading.invalid(
      `nothing says how the database fills column ${shown(name)}`,
      within(at, 'filled_by'),
      'add default, generated or identity, or say who fills it',
    );
  }
  if (column.nullable === true && (column.identity !== undefined || column.serial === true)) {
    reading.invalid(`column ${shown(name)} is numbered, so it is NOT NULL`, within(at, 'nullable'), 'remove nullable');
  }
  const type = reading.sql('type', column.type, typeAt);
  const { template, parameters } = reading.typeTemplate(column.type);
  const expressions = new Set<string>(parameters.filter((one) => reading.parameters.has(one)));
  const expression = (key: 'default' | 'generated'): string | null => {
    const text = column[key];
    if (text === undefined) return null;
    const rendered = reading.sqlParts('expression', String(text), within(at, key), null);
    for (const parameter of rendered.parameters) if (reading.parameters.has(parameter)) expressions.add(parameter);
    return join(rendered.parts);
  };
  const serial = column.serial === true;
  if (serial && !RANGES.some(({ types }) => types.includes(type.trim().toLowerCase()))) {
    reading.invalid(`a serial column cannot be ${shown(type)}`, at, 'make it smallint, integer or bigint');
  }
  const table = String(at.path.at(-3) ?? '');
  const defaultExpression = serial ? serialDefault(table, name) : expression('default');
  const generated = expression('generated');
  return {
    name,
    type,
    collation: columnCollation(column.collation),
    notNull: column.nullable === false || column.identity !== undefined || serial,
    default: defaultExpression,
    generated: generated === null ? null : { expression: generated, kind: 'stored' },
    identity:
      column.identity === undefined ? null : readIdentity(column.identity, type, within(at, 'identity'), reading),
    phase: reading.phase,
    filledBy: column.filled_by ?? (computed.length > 0 ? 'database' : 'nothing'),
    derived: column.derived ?? false,
    ...(serial ? { serial } : {}),
    parameters: [...expressions],
    typeTemplate: template,
    source: keyAt(at),
  };
}

/**
 * A collation's name as the catalog prints it: written raw (`C`, `en_US.utf8`), or quoted already where it needs its schema. In
 * quotes that the server would leave out it was another collation than the tenant's, after every apply.
 */
export function collationSql(name: string): string {
  if (!/^(?:"(?:[^"]|"")+"\.)*"(?:[^"]|"")+"$/u.test(name)) return name.startsWith('"') ? name : quoteIdentifier(name);
  const parts = name.match(/"(?:[^"]|"")+"/gu)?.map((part) => part.slice(1, -1).replaceAll('""', '"')) ?? [];
  return (parts[0] === 'pg_catalog' ? parts.slice(1) : parts).map(quoteIdentifier).join('.');
}

/** The same for a column: the catalog gives none for the type's own. */
function columnCollation(name: string | undefined): string | null {
  const collation = name === undefined ? '"default"' : collationSql(name);
  return collation === '"default"' ? null : collation;
}

const RANGES: readonly { readonly types: readonly string[]; readonly minimum: string; readonly maximum: string }[] = [
  { types: ['smallint', 'int2'], minimum: '-32768', maximum: '32767' },
  { types: ['integer', 'int', 'int4'], minimum: '-2147483648', maximum: '2147483647' },
  { types: ['bigint', 'int8'], minimum: '-9223372036854775808', maximum: '9223372036854775807' },
];

/** Fills in the defaults of CREATE SEQUENCE (its manual page), which an identity column follows. */
function readIdentity(
  declared: 'always' | 'by default' | IdentityDocument,
  type: string,
  place: Place,
  reading: Reading,
): IdentityShape {
  const identity: IdentityDocument = typeof declared === 'string' ? { kind: declared } : declared;
  const range = RANGES.find(({ types }) => types.includes(type.trim().toLowerCase()));
  if (range === undefined) {
    reading.invalid(`an identity column cannot be ${shown(type)}`, place, 'make it smallint, integer or bigint');
  }
  const increment = String(identity.increment ?? 1);
  if (/^-?0+$/u.test(increment))
    reading.invalid('an identity cannot go up by 0', within(place, 'increment'), 'give another step');
  const down = increment.startsWith('-');
  const minimum = String(identity.minimum ?? (down ? (range?.minimum ?? '0') : 1));
  const maximum = String(identity.maximum ?? (down ? -1 : (range?.maximum ?? '0')));
  const start = String(identity.start ?? (down ? maximum : minimum));
  const cache = String(identity.cache ?? 1);
  if (range !== undefined) {
    const ascend = [range.minimum, minimum, start, maximum, range.maximum].map(BigInt);
    if (ascend.some((number, index) => index > 0 && number < (ascend[index - 1] ?? number)) || minimum === maximum) {
      const bounds = `${range.minimum} to ${range.maximum}`;
      const message = `the numbers of an identity do not fit: minimum ${minimum}, start ${start}, maximum ${maximum}`;
      reading.invalid(message, place, `let minimum, start and maximum ascend, within ${type}'s ${bounds}`);
    }
  }
  if (BigInt(cache) < 1n)
    reading.invalid('a session takes at least 1 number at once', within(place, 'cache'), 'give 1 or more');
  return { kind: identity.kind, start, increment, minimum, maximum, cache, cycle: identity.cycle ?? false };
}
