import type { MethodIdentity } from '../shape/table-shape.js';
import type { IndexDocument, MethodDocument, Scalar } from './documents.js';
import type { DesiredIndex, DesiredIndexBase, DesiredIndexKey } from './model.js';
import { collationSql } from './read-columns.js';
import type { Reading } from './reading.js';
import { type Place, valueAt, within } from './yaml-file.js';

/** The indexes of a list `indexes` at `place`. */
export function readIndexes(
  indexes: readonly IndexDocument[] | undefined,
  place: Place,
  reading: Reading,
): readonly DesiredIndex[] {
  return (indexes ?? []).flatMap((index, number) => {
    const at = within(place, number);
    if (!reading.active(index, at)) return [];
    return [
      {
        name: reading.name(index.name, within(at, 'name')),
        where: index.where === undefined ? null : reading.sql('expression', index.where, within(at, 'where')),
        ...readIndexBase(index, at, reading),
      },
    ];
  });
}

/** What an index and a family have in common. */
export function readIndexBase(index: IndexDocument, at: Place, reading: Reading): DesiredIndexBase {
  const defaults = typeof index.method === 'object' ? index.method.defaults : undefined;
  if (index.nulls_not_distinct === true && index.unique !== true) {
    reading.invalid(
      'nulls_not_distinct says nothing of an index that is not unique',
      at,
      'add unique: true, or remove it',
    );
  }
  return {
    phase: reading.phase,
    method: methodOf(index.method),
    optionDefaults: readOptions(defaults, within(at, 'method', 'defaults'), reading),
    options: readOptions(index.options, within(at, 'options'), reading),
    unique: index.unique ?? false,
    nullsNotDistinct: index.nulls_not_distinct ?? false,
    keys: readKeys(index, at, reading),
    include: index.include ?? [],
    onePerTable: index.one_per_table ?? false,
    requiresRows: readRequiredRows(index, at, reading),
    worthRows: readWorthRows(index, at, reading),
    keyField: index.key_field ?? null,
    source: valueAt(at),
  };
}

/** The access method that an index names; b-tree when it names none. */
export function methodOf(method: MethodDocument | undefined): MethodIdentity {
  if (method === undefined) return { name: 'btree', extension: null };
  return typeof method === 'string'
    ? { name: method, extension: null }
    : { name: method.name, extension: method.extension ?? null };
}

function readOptions(
  options: Readonly<Record<string, Scalar>> | undefined,
  at: Place,
  reading: Reading,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(options ?? {}).map(([name, value]) => [name.toLowerCase(), reading.text(value, within(at, name))]),
  );
}

function readKeys(index: IndexDocument, place: Place, reading: Reading): readonly DesiredIndexKey[] {
  const keys = index.keys.flatMap((entry, number): readonly DesiredIndexKey[] => {
    const at = within(place, 'keys', number);
    const key = typeof entry === 'string' ? { column: entry } : entry;
    if (!reading.active(key, at)) return [];
    if ((key.column === undefined) === (key.expression === undefined)) {
      reading.invalid('a key is either a column or an expression', at, 'give one of column and expression');
    }
    if (key.opclass_options !== undefined && key.opclass === undefined) {
      reading.invalid('opclass_options stand without an operator class', at, 'name the operator class: opclass');
    }
    const order = key.order ?? 'asc';
    return [
      {
        column: key.column ?? null,
        expression:
          key.expression === undefined ? null : reading.sql('expression', key.expression, within(at, 'expression')),
        opclass: key.opclass === undefined ? null : reading.sql('operator-class', key.opclass, within(at, 'opclass')),
        opclassOptions: readOptions(key.opclass_options, within(at, 'opclass_options'), reading),
        collation: key.collation === undefined ? null : collationSql(key.collation),
        order,
        nulls: key.nulls ?? (order === 'asc' ? 'last' : 'first'),
      },
    ];
  });
  if (keys.length === 0)
    reading.invalid('no key of the index is left by when and unless', place, 'leave it at least one');
  return keys;
}

function readRequiredRows(index: IndexDocument, place: Place, reading: Reading): DesiredIndexBase['requiresRows'] {
  const rows = index.requires_rows;
  if (rows === undefined) return null;
  const at = within(place, 'requires_rows');
  const where = rows.where === undefined ? null : reading.sql('expression', rows.where, within(at, 'where'), true);
  const count = reading.count(rows.count, within(at, 'count'));
  return count === 0 ? null : { count, where };
}

function readWorthRows(index: IndexDocument, place: Place, reading: Reading): DesiredIndexBase['worthRows'] {
  const rows = index.worth_rows;
  if (rows === undefined) return null;
  const at = within(place, 'worth_rows');
  const build = reading.count(rows.build, within(at, 'build'));
  const keep = rows.keep === 'half' ? Math.max(1, Math.floor(build / 2)) : reading.count(rows.keep, within(at, 'keep'));
  if (build === 0) return null;
  if (keep > build) {
    reading.invalid(
      `keep (${keep}) is more than build (${build}): what is built would be dropped again`,
      at,
      'lower keep',
    );
  }
  return { build, keep };
}
