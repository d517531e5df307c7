import type { FamilyDocument } from './documents.js';
import type { IndexFamily, NamePart } from './model.js';
import { parsePlaceholders } from './placeholders.js';

/** A regular expression (PostgreSQL's and JavaScript's) for every name that a family can give. */
export function namePattern(name: readonly NamePart[], lists: IndexFamily['lists']): string {
  const body = name.map((part) => {
    if (typeof part === 'string') return escapePattern(part);
    const values = lists.flatMap((list) =>
      list.entries.flatMap((entry) => {
        const value = part.variable.startsWith(`${list.name}.`)
          ? entry[part.variable.slice(list.name.length + 1)]
          : undefined;
        return value === undefined ? [] : [escapePattern(value)];
      }),
    );
    return values.length > 0 ? `(?:${[...new Set(values)].join('|')})` : '.+';
  });
  return `^${body.join('')}$`;
}

/** The same for a family as written: of a backend that does not run, whose parameters nobody fills in. */
export function writtenNamePattern({ name, for_each }: Pick<FamilyDocument, 'name' | 'for_each'>): string {
  const parts = parsePlaceholders(name).map((piece) =>
    piece.kind === 'placeholder' ? { variable: piece.name } : piece.text,
  );
  const lists = Object.entries(for_each).flatMap(([set, entries]) =>
    isList(entries) ? [{ name: set, entries: entries.map(asEntry) }] : [],
  );
  // A value that is itself to be filled in may be anything.
  const known = lists.map((list) => ({
    ...list,
    entries: list.entries.some((entry) => Object.values(entry).some((value) => value.includes('${')))
      ? []
      : list.entries,
  }));
  return namePattern(parts, known);
}

type SetDocument = FamilyDocument['for_each'][string];
type Listed = Extract<SetDocument, readonly unknown[]>;

const isList = (set: SetDocument): set is Listed => Array.isArray(set);

const asEntry = (entry: Listed[number]): Readonly<Record<string, string>> =>
  typeof entry === 'object'
    ? Object.fromEntries(Object.entries(entry).map(([key, value]) => [key, String(value)]))
    : { value: String(entry) };

function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.|?*+()[\]{}]/gu, '\\$&');
}
