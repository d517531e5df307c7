import { groupBy } from '../collections.js';
import type { FamilyDocument, IndexDocument } from '../desired-state/documents.js';
import type { TableShape } from '../shape/table-shape.js';
import { TENANT_SCHEMA_SQL } from '../sql/template.js';
import { type Codes, codesOf, ROW_MARK } from './family-codes.js';
import type { FamilySource } from './family-sources.js';
import { comparedColumn, type Slotted, slotted } from './predicate-slots.js';
import { escaped } from './sayable.js';

/** Indexes that are one family: its document, and the members that stand for it in this tenant. */
export interface FoundFamily {
  readonly table: string;
  readonly document: FamilyDocument;
  readonly members: readonly string[];
  /** The table whose rows generate it. */
  readonly source: string;
  /** Constants of the members' predicates that the document lists. */
  readonly listed: readonly string[];
}

/** Partial indexes of one table that differ only in their names and in constants of their predicates. */
export function likenesses(table: TableShape): readonly (readonly Slotted[])[] {
  const found = table.indexes.flatMap((index) => slotted(index) ?? []);
  return [...groupBy(found, (one) => one.likeness).values()].filter((group) => group.length > 1);
}

/**
 * The family that some alike indexes are, or null: only where the rows of one source, crossed with the constants that are
 * no row's, give exactly these names and predicates.
 */
export function familyOf(
  table: TableShape,
  group: readonly Slotted[],
  sources: readonly FamilySource[],
  documentOf: (index: string) => IndexDocument | undefined,
): FoundFamily | null {
  const document = documentOf(group[0]?.index.name ?? '');
  if (document === undefined) return null;
  const referenced = new Set(
    table.constraints.flatMap((one) =>
      one.kind === 'foreign-key' && one.references.schema === null ? [one.references.table] : [],
    ),
  );
  const inOrder = sources
    .filter((source) => source.table !== table.name && source.rows.length <= group.length)
    .toSorted(
      (a, b) =>
        Number(referenced.has(b.table)) - Number(referenced.has(a.table)) ||
        b.rows.length - a.rows.length ||
        (a.table < b.table ? -1 : 1),
    );
  for (const source of inOrder)
    for (const slot of group[0]?.values.keys() ?? []) {
      const found = bySlot(group, source, slot);
      if (found === null) continue;
      const { name, where, forEach, listed } = found;
      const { keys, where: _own, ...rest } = document;
      return {
        table: table.name,
        document: { ...rest, name, for_each: forEach, keys, where },
        members: group.map((one) => one.index.name),
        source: source.table,
        listed,
      };
    }
  return null;
}

interface Template {
  readonly name: string;
  readonly where: string;
  readonly forEach: FamilyDocument['for_each'];
  readonly listed: readonly string[];
}

/** One of the group, and the source's row that it is of. */
type Member = Slotted & { readonly row: readonly string[] };

/** How a group is read as a family: places are of the constants, candidates of the source. */
interface Reading {
  /** The constant that tells the rows apart, and the candidate whose values it has. */
  readonly slot: number;
  readonly own: number;
  /** The candidate that stands in the names. */
  readonly named: number;
  /** The constants that are no row's, and each combination of them that there is. */
  readonly listSlots: readonly number[];
  readonly entries: readonly (readonly string[])[];
  /** What stands in the names for each of these combinations. */
  readonly codes: Codes;
}

/** Reads the group as a family whose rows are told by the constant in `slot`. */
function bySlot(group: readonly Slotted[], source: FamilySource, slot: number): Template | null {
  const own = candidateIn(slot, group, source);
  if (own < 0) return null;
  const rowOf = new Map(source.rows.map((row) => [row[own], row]));
  const members = group.map((one) => ({ ...one, row: rowOf.get(one.values[slot]) ?? [] }));
  const listSlots = (group[0]?.values ?? []).flatMap((first, at) =>
    at !== slot && group.some((one) => one.values[at] !== first) ? [at] : [],
  );
  const entries = groupBy(members, (member) => JSON.stringify(listSlots.map((at) => member.values[at])));
  const lists = [...entries.values()];
  if (!lists.every((list) => hasEveryRow(list, source))) return null;
  const naming = namedBy(members, source);
  const codes = naming === null ? null : codesIn(lists, naming.rest);
  if (naming === null || codes === null) return null;
  const constants = [...entries.keys()].map((entry) => JSON.parse(entry) as readonly string[]);
  return templateOf(group, source, { slot, own, named: naming.candidate, listSlots, entries: constants, codes });
}

/** The candidate that has another value in each row, which are just the constants in `slot`; -1: none. */
function candidateIn(slot: number, group: readonly Slotted[], source: FamilySource): number {
  const values = new Set(group.map((one) => one.values[slot]));
  return source.candidates.findIndex((_, at) => {
    const column = new Set(source.rows.map((row) => row[at]));
    return column.size === source.rows.length && same(column, values);
  });
}

/** Whether there is one member for each row. */
const hasEveryRow = (members: readonly Member[], { rows }: FamilySource): boolean =>
  members.length === rows.length && new Set(members.map((member) => member.row)).size === members.length;

/** What of the names follows from the listed constants, a code a list; null where it does not. */
function codesIn(lists: readonly (readonly Member[])[], restOf: (member: Member) => string): Codes | null {
  const rests = lists.map((list) => new Set(list.map(restOf)));
  if (rests.some((rest) => rest.size !== 1)) return null;
  const found = codesOf(rests.map((rest) => [...rest][0] ?? ''));
  return found?.codes.length === lists.length ? found : null;
}

/** Writes the family down as it was read. */
function templateOf(
  group: readonly Slotted[],
  { table, candidates }: FamilySource,
  { slot, own, named, listSlots, entries, codes }: Reading,
): Template {
  const isListed = listSlots.length > 0;
  const set = setName(group, listSlots, 'row');
  const valueNames = listSlots.map((_, at) => (listSlots.length === 1 ? 'value' : `value_${at + 1}`));
  const list = entries.map((constants, entry) => ({
    ...Object.fromEntries(constants.map((constant, at) => [valueNames[at] ?? '', escaped(constant)])),
    code: escaped(codes.codes[entry] ?? ''),
  }));
  const ofRow = (candidate: number) => `\${row.${candidates[candidate]?.name ?? ''}}`;
  const written = (text: string) => escaped(text).replaceAll(ROW_MARK, () => ofRow(named));
  const values = [candidates[own], candidates[named]].flatMap((one) => (one === undefined ? [] : [one]));
  return {
    name: `${written(codes.before)}${isListed ? `\${${set}.code}` : ''}${written(codes.after)}`,
    where: whereOf(group[0]?.pieces ?? [], group[0]?.texts ?? [], (at) => {
      if (at === slot) return ofRow(own);
      const listed = listSlots.indexOf(at);
      return listed < 0 ? null : `\${${set}.${valueNames[listed] ?? ''}}`;
    }),
    forEach: {
      row: { table, values: Object.fromEntries(values.map(({ name, expression }) => [name, expression])) },
      ...(isListed ? { [set]: list } : {}),
    },
    listed: isListed ? entries.flat() : [],
  };
}

/** A value this short stands in a name by chance. */
const SHORT = 4;

/** The form of the row that stands, once, in every member's name, and tells the rows apart. */
function namedBy(
  members: readonly Member[],
  source: FamilySource,
): { readonly candidate: number; readonly rest: (member: Member) => string } | null {
  const lengths = source.candidates.map((_, at) => Math.min(...source.rows.map((row) => row[at]?.length ?? 0)));
  const candidates = source.candidates
    .map((_, at) => at)
    .filter((at) => {
      const values = source.rows.map((row) => row[at] ?? '');
      if (new Set(values).size < values.length || values.includes('')) return false;
      if (values.length === 1 && (lengths[at] ?? 0) < SHORT) return false;
      return members.every((member) => member.index.name.split(member.row[at] ?? '').length === 2);
    })
    // The longest form says the most of the name: its first half would leave the other to chance.
    .toSorted((a, b) => (lengths[b] ?? 0) - (lengths[a] ?? 0));
  const [candidate] = candidates;
  if (candidate === undefined) return null;
  return { candidate, rest: (member) => member.index.name.split(member.row[candidate] ?? '').join(ROW_MARK) };
}

/** The predicate with variables in the place of constants; other constants stay. */
function whereOf(
  pieces: readonly string[],
  constants: readonly string[],
  variable: (slot: number) => string | null,
): string {
  const text = (piece: string) => escaped(piece).replaceAll(TENANT_SCHEMA_SQL, () => '${schema}');
  return pieces
    .map((piece, at) => {
      const constant = constants[at];
      return `${text(piece)}${constant === undefined ? '' : (variable(at) ?? escaped(constant))}`;
    })
    .join('');
}

/** What the listed constants are called: after the column that they are compared with. */
function setName(group: readonly Slotted[], slots: readonly number[], taken: string): string {
  const [slot] = slots;
  const column = slot === undefined || slots.length > 1 ? null : comparedColumn(group[0]?.pieces[slot] ?? '');
  return column !== null && /^[a-z][a-z0-9_]*$/u.test(column) && column !== taken && column !== 'schema'
    ? column
    : 'listed';
}

const same = <T>(left: ReadonlySet<T>, right: ReadonlySet<T>): boolean =>
  left.size === right.size && [...left].every((value) => right.has(value));
