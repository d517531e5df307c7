import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  visit,
  type YAMLMap,
} from 'yaml';
import type { SourcePosition } from './model.js';
import type { Problems } from './problems.js';

/** A step into a document: a key of a mapping, or a place in a list. */
export type Path = readonly (string | number)[];

/** A parsed YAML file that knows where each of its values stands. */
export interface YamlFile {
  /** As errors show it. */
  readonly name: string;
  readonly value: unknown;
  /** Where the value at `path` starts; with `key`, where its key does. Falls back on what encloses it. */
  position(path: Path, part?: 'value' | 'key'): SourcePosition;
  /** Where the character `offset` of the text at `path` stands, as far as its quoting lets it be told. */
  textPosition(path: Path, offset: number): SourcePosition;
}

/** A value in a file. */
export interface Place {
  readonly file: YamlFile;
  readonly path: Path;
}

/** A place further in. */
export const within = (place: Place, ...path: Path): Place => ({ file: place.file, path: [...place.path, ...path] });

/** Where a place's value starts. */
export const valueAt = (place: Place): SourcePosition => place.file.position(place.path);

/** Where a place's key starts; for an item of a list, the item. */
export const keyAt = (place: Place): SourcePosition => place.file.position(place.path, 'key');

/** Aliases beyond this are an attack on memory, not a desired state. */
const MAX_ALIASES = 100;
const MAX_DEPTH = 32;

/** Parses YAML 1.2; notes what is wrong and returns null when the text cannot be used. */
export function parseYaml(name: string, text: string, problems: Problems): YamlFile | null {
  const lines = new LineCounter();
  const at = (offset: number): SourcePosition => {
    const { line, col } = lines.linePos(offset);
    return { file: name, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  // The parser calls itself for each level, and would die of a stack overflow before any later check.
  const tooDeep = deepBracket(text);
  if (tooDeep !== null) {
    problems.invalid(`nested deeper than ${MAX_DEPTH} levels`, placeOf(name, text, tooDeep), 'flatten it');
    return null;
  }
  // Composing looks up each alias among all nodes before it: tens of thousands take seconds.
  const starred = text.match(/(?<=^|[\s,:[{])\*[^\s,*()\]}]/gmu)?.length ?? 0;
  if (starred > 10 * MAX_ALIASES) {
    problems.invalid(`more than ${MAX_ALIASES} aliases`, { file: name, line: 1, column: 1 }, 'write the values out');
    return null;
  }
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      stringKeys: true,
      logLevel: 'error',
    });
    if (noteSyntax(document, text, at, problems, name)) return null;
    if (noteDangers(document, at, problems)) return null;
    const content = unfolded(document);
    if (content === null) {
      problems.invalid('aliases that unfold to an excessive size', at(0), 'write the values out');
      return null;
    }
    return located(name, document, content.value, text, at);
  } catch (error) {
    const deep = error instanceof RangeError;
    problems.invalid(
      deep ? 'nested too deep' : 'cannot be read as YAML',
      { file: name, line: 1, column: 1 },
      'simplify it',
    );
    return null;
  }
}

function noteSyntax(
  document: Document,
  text: string,
  at: (offset: number) => SourcePosition,
  problems: Problems,
  name: string,
): boolean {
  const found = [...document.errors, ...document.warnings];
  if (found.length === 0) return false;
  const tab = /^ *\t/mu.exec(text);
  if (tab !== null && document.errors.some((error) => error.code !== 'DUPLICATE_KEY')) {
    problems.invalid(
      'a tab is used for indentation',
      placeOf(name, text, tab.index + tab[0].length - 1),
      'indent with spaces',
    );
    return true;
  }
  const duplicates = found.filter((error) => error.code === 'DUPLICATE_KEY');
  for (const error of duplicates) {
    // Where the first one has no value the parser points behind it.
    const line = text.slice(text.lastIndexOf('\n', error.pos[0] - 1) + 1, error.pos[0]);
    const behind = /\S+(?=:\s*$)/u.exec(line);
    const key = behind?.[0] ?? /^\S+/u.exec(text.slice(error.pos[0]))?.[0].replace(/:$/u, '') ?? '';
    const where = error.pos[0] - (behind === null ? 0 : line.length - behind.index);
    problems.invalid(`the key ${JSON.stringify(key)} is given twice`, at(where), 'keep one of the two');
  }
  // What follows the first syntax error is mostly its echo.
  const first = found.find((error) => error.code !== 'DUPLICATE_KEY');
  if (first !== undefined) {
    const message = first.message.replace(/\s+at line \d+, column \d+:?[\s\S]*$/u, '').split('\n')[0] ?? '';
    const [what, remedy] = explained(first.code, message);
    problems.invalid(what, at(first.pos[0]), remedy);
  }
  return true;
}

/** Some of the library's messages tell its caller what to call, and nothing to who wrote the file. */
function explained(code: string, message: string): readonly [what: string, remedy: string] {
  if (message.includes('call stack')) return [`nested deeper than ${MAX_DEPTH} levels`, 'flatten it'];
  if (code === 'MULTIPLE_DOCS')
    return [
      'a second YAML document begins here',
      'keep one in a file: remove the --- and join them, or make two files',
    ];
  if (code === 'NON_STRING_KEY') return ['a key is no text', 'write a name there; in quotes, if need be'];
  return [`not valid YAML: ${message.slice(0, 200)}`, 'correct the YAML'];
}

function noteDangers(document: Document, at: (offset: number) => SourcePosition, problems: Problems): boolean {
  let aliases = 0;
  let bad = false;
  const refuse = (message: string, node: Node, remedy: string): symbol => {
    problems.invalid(message, at(node.range?.[0] ?? 0), remedy);
    bad = true;
    return visit.BREAK;
  };
  visit(document, {
    Node(_key, node, path) {
      if (path.length > MAX_DEPTH && path.filter((parent) => isCollection(parent)).length > MAX_DEPTH) {
        return refuse(`nested deeper than ${MAX_DEPTH} levels`, node, 'flatten it');
      }
      // No name, text or SQL can hold it, and the server takes what comes before it for the whole.
      if (isScalar(node) && typeof node.value === 'string' && node.value.includes('\0')) {
        return refuse('a text holds a NUL character', node, 'remove it');
      }
      if (isScalar(node) && typeof node.value === 'number' && !usable(node.value)) {
        return refuse('a number too large to be kept exactly', node, 'write it in quotes');
      }
      if (isAlias(node)) {
        aliases += 1;
        if (aliases > MAX_ALIASES) return refuse(`more than ${MAX_ALIASES} aliases`, node, 'write the values out');
        const target = node.resolve(document);
        if (target !== undefined && path.includes(target)) {
          return refuse('an alias that refers to what encloses it', node, 'write the value out');
        }
      }
      return undefined;
    },
  });
  return bad;
}

/** The document's value; null when its aliases make it too large. */
function unfolded(document: Document): { readonly value: unknown } | null {
  try {
    return { value: document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown };
  } catch {
    return null;
  }
}

const usable = (value: number): boolean =>
  Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));

function located(
  name: string,
  document: Document,
  content: unknown,
  text: string,
  at: (offset: number) => SourcePosition,
): YamlFile {
  // A place is asked for of every value that is read: a search in each mapping on the way would cost more than parsing.
  const indexed = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>();
  const pairsOf = (map: YAMLMap): ReadonlyMap<string, Pair> => {
    const known = indexed.get(map) ?? pairsByKey(map);
    indexed.set(map, known);
    return known;
  };
  const find = (path: Path): { readonly key: Node | null; readonly value: Node | null } => {
    let key: Node | null = null;
    let value: Node | null = document.contents as Node | null;
    for (const segment of path) {
      const container: Node | null | undefined = isAlias(value) ? value.resolve(document) : value;
      let next: Node | null = null;
      if (isMap(container)) {
        const pair = pairsOf(container).get(String(segment));
        if (pair === undefined) break;
        key = pair.key as Node;
        next = pair.value as Node | null;
      } else if (isSeq(container) && typeof segment === 'number') {
        const item = container.items[segment];
        if (item === undefined) break;
        key = item as Node;
        next = item as Node;
      } else break;
      value = next ?? key;
    }
    return { key, value };
  };
  const start = (node: Node | null): number => node?.range?.[0] ?? 0;
  return {
    name,
    value: content,
    position(path, part = 'value') {
      const { key, value } = find(path);
      return at(start(part === 'key' ? (key ?? value) : value));
    },
    textPosition(path, offset) {
      const { value } = find(path);
      return at(isScalar(value) ? textOffset(value, text, offset) : start(value));
    },
  };
}

const pairsByKey = (map: YAMLMap): ReadonlyMap<string, Pair> =>
  new Map(
    map.items.flatMap((item) => (isPair(item) && isScalar(item.key) ? [[String(item.key.value), item] as const] : [])),
  );

/** The place of a scalar's character in the file; the scalar's first one where quoting or folding hides it. */
function textOffset(scalar: Scalar, text: string, offset: number): number {
  const from = scalar.range?.[0] ?? 0;
  const value = String(scalar.value);
  if (scalar.type === 'QUOTE_DOUBLE' || scalar.type === 'QUOTE_SINGLE' || scalar.type === 'PLAIN') {
    const first = scalar.type === 'PLAIN' ? from : from + 1;
    return text.startsWith(value.slice(0, offset), first) ? first + offset : first;
  }
  // A block scalar: its text starts on the line after the indicator.
  const body = text.indexOf('\n', from) + 1;
  const line = value.slice(0, offset).split('\n');
  const indent = /^[ \n]*/u.exec(text.slice(body))?.[0] ?? '';
  if (scalar.type !== 'BLOCK_LITERAL') return body + indent.length;
  const width = indent.length - (indent.lastIndexOf('\n') + 1);
  let position = body;
  for (let skipped = 1; skipped < line.length; skipped += 1) position = text.indexOf('\n', position) + 1;
  return Math.min(position + width + (line.at(-1)?.length ?? 0), text.length);
}

/** The first bracket that nests too deep, counted without regard to quotes: a bound, not a parser. */
function deepBracket(text: string): number | null {
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
    if (depth > MAX_DEPTH * 4) return index;
  }
  // Compact block lists nest on one line: "- - - - …".
  const dashes = /(?:- ){200}/u.exec(text);
  return dashes === null ? null : dashes.index;
}

function placeOf(file: string, text: string, offset: number): SourcePosition {
  const before = text.slice(0, offset).split('\n');
  return { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
