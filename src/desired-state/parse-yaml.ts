import { type Document, isAlias, isCollection, isScalar, LineCounter, type Node, parseDocument, visit } from 'yaml';
import type { SourcePosition } from './model.js';
import type { Problems } from './problems.js';
import type { YamlFile } from './yaml-file.js';
import { located } from './yaml-positions.js';

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
