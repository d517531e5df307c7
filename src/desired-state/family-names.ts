import type { FamilyDocument } from './documents.js';
import type { IndexFamily, NamePart } from './model.js';
import { parsePlaceholders } from './placeholders.js';

type Lists = IndexFamily['lists'];

/** A regular expression (PostgreSQL's, and JavaScript's with the flag s) for every name that a family can give. */
export function namePattern(name: readonly NamePart[], lists: Lists): string {
  const body = name.map((part) => {
    const texts = textsOf(part, lists)?.map(escapePattern);
    if (texts === undefined) return '.*';
    return texts.length === 1 ? texts[0] : `(?:${texts.join('|')})`;
  });
  return `^${body.join('')}$`;
}

/**
 * The same names as patterns of LIKE, of which one matches: PostgreSQL tells them from others in a tenth of the time. Null
 * where they would be more than a few.
 */
export function nameLikes(name: readonly NamePart[], lists: Lists): readonly string[] | null {
  let likes = [''];
  for (const part of name) {
    const texts = textsOf(part, lists)?.map(escapeLike) ?? ['%'];
    likes = likes.flatMap((like) => texts.map((text) => like + text));
    if (likes.length > MANY_LIKES) return null;
  }
  return likes;
}

const MANY_LIKES = 20;

/** The texts that may stand in a part's place, each once; null: any, the empty one of a row too. */
function textsOf(part: NamePart, lists: Lists): readonly string[] | null {
  if (typeof part === 'string') return [part];
  const values = lists.flatMap((list) =>
    list.entries.flatMap((entry) =>
      part.variable.startsWith(`${list.name}.`) ? (entry[part.variable.slice(list.name.length + 1)] ?? []) : [],
    ),
  );
  return values.length > 0 ? [...new Set(values)] : null;
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

function escapeLike(text: string): string {
  return text.replaceAll(/[\\%_]/gu, '\\$&');
}
