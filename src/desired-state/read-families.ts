import { shown } from '../did-you-mean.js';
import type { FamilyDocument, SetDocument } from './documents.js';
import type { FamilyRows, IndexFamily } from './model.js';
import { readIndexBase } from './read-indexes.js';
import { join, type Reading, type Sets } from './reading.js';
import { keyAt, type Place, valueAt, within } from './yaml-file.js';

type ListedSet = IndexFamily['lists'][number];

/** The families of a list `index_families` at `place`. */
export function readFamilies(
  families: readonly FamilyDocument[] | undefined,
  place: Place,
  reading: Reading,
): readonly IndexFamily[] {
  return (families ?? []).flatMap((family, number) => {
    const at = within(place, number);
    return reading.active(family, at) ? [readFamily(family, at, reading)] : [];
  });
}

function readFamily(family: FamilyDocument, at: Place, reading: Reading): IndexFamily {
  const rows: FamilyRows[] = [];
  const lists: ListedSet[] = [];
  for (const [name, set] of Object.entries(family.for_each)) {
    const place = within(at, 'for_each', name);
    if (isList(set)) lists.push({ name, entries: readEntries(set, place, reading) });
    else rows.push(readRows(name, set, place, reading));
  }
  if (rows.length > 1) {
    reading.invalid(
      'a family is generated from the rows of one table at most',
      within(at, 'for_each'),
      'list the other values',
    );
  }
  const sets = setsOf(family);
  const where =
    family.where === undefined ? null : reading.sqlParts('expression', family.where, within(at, 'where'), sets).parts;
  const name = reading.nameParts(family.name, within(at, 'name'), sets);
  checkFamilyName(name, sets, lists, within(at, 'name'), reading);
  return { label: join(name), name, rows: rows[0] ?? null, lists, where, ...readIndexBase(family, at, reading) };
}

/** What placeholders about a family may name: the values of its sets. */
export const setsOf = (family: FamilyDocument): Sets =>
  new Map(Object.entries(family.for_each).map(([name, set]) => [name, valuesOf(set)]));

function valuesOf(set: SetDocument): readonly string[] {
  if (!isList(set)) return Object.keys(set.values);
  const [first] = set;
  return typeof first === 'object' ? Object.keys(first) : ['value'];
}

const isList = (set: SetDocument): set is Extract<SetDocument, readonly unknown[]> => Array.isArray(set);

function readRows(
  name: string,
  set: Exclude<SetDocument, readonly unknown[]>,
  place: Place,
  reading: Reading,
): FamilyRows {
  const values = Object.entries(set.values).map(
    ([value, text]) => [value, reading.sql('expression', text, within(place, 'values', value), true)] as const,
  );
  return { name, table: set.table, values: Object.fromEntries(values), source: keyAt(place) };
}

function readEntries(
  set: Extract<SetDocument, readonly unknown[]>,
  place: Place,
  reading: Reading,
): ListedSet['entries'] {
  const entries = set.map((entry, number): Readonly<Record<string, string>> => {
    const at = within(place, number);
    if (typeof entry !== 'object') return { value: reading.text(entry, at) };
    return Object.fromEntries(Object.entries(entry).map(([key, value]) => [key, reading.text(value, within(at, key))]));
  });
  const keys = (entry: Readonly<Record<string, string>>): string => Object.keys(entry).sort().join(', ');
  const [first] = entries;
  const seen = new Set<string>();
  for (const [number, entry] of entries.entries()) {
    if (first !== undefined && keys(entry) !== keys(first)) {
      reading.invalid(
        `an entry has the values ${keys(entry)}, the first one ${keys(first)}`,
        within(place, number),
        'give all the same',
      );
    }
    const whole = JSON.stringify(Object.entries(entry).sort());
    if (seen.has(whole)) reading.invalid('an entry is listed twice', within(place, number), 'remove one');
    seen.add(whole);
  }
  return entries;
}

/** Every set must tell members apart, and the name must fit even before the values of rows are in it. */
function checkFamilyName(
  name: IndexFamily['name'],
  sets: Sets,
  lists: readonly ListedSet[],
  place: Place,
  reading: Reading,
): void {
  const used = new Set(name.flatMap((part) => (typeof part === 'string' ? [] : [part.variable.split('.')[0] ?? ''])));
  for (const set of sets.keys()) {
    if (used.has(set)) continue;
    reading.invalid(
      `the name does not use ${shown(set)}: members would share a name`,
      place,
      `add a value of it, such as \${${set}.…}`,
    );
  }
  const longest = join(name, (variable) => {
    const [set, value = ''] = variable.split('.');
    const values = lists.find((list) => list.name === set)?.entries.map((entry) => entry[value] ?? '') ?? [];
    return values.reduce((a, b) => (Buffer.byteLength(b) > Buffer.byteLength(a) ? b : a), '');
  });
  if (longest !== '') reading.checkName(longest, place);
  else if (used.size === 0) reading.problems.invalid('a name is empty', valueAt(place), 'give it a name');
}
