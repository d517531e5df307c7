import { TrueupError } from '../trueup-error.js';
import { locationOf, type Node, walk } from './tree.js';

export type { Node } from './tree.js';

/** What the parser says of a text. `position` is a 0-based offset into it, in UTF-16 units. */
export type ParseResult =
  | { readonly ok: true; readonly statements: readonly Node[] }
  | { readonly ok: false; readonly message: string; readonly position: number };

const MAX_BYTES = 1_000_000;
const CACHE_ENTRIES = 2_000;
const CACHE_BYTES = 4_000_000;
const INSTANCE_CALLS = 5_000;
const INSTANCE_BYTES = 8_000_000;

const cache = new Map<string, Promise<ParseResult>>();
let cachedBytes = 0;
let queue: Promise<unknown> = Promise.resolve();

/** Parses SQL text as PostgreSQL 16 does. Answers are cached by text; the tree must not be changed. */
export function parseSql(sql: string): Promise<ParseResult> {
  const known = cache.get(sql);
  if (known !== undefined) {
    cache.delete(sql);
    cache.set(sql, known);
    return known;
  }
  if (Buffer.byteLength(sql) > MAX_BYTES) return Promise.resolve(refusal('the SQL text is longer than 1 MB'));
  if (sql.includes('\0')) return Promise.resolve(refusal('a NUL character', sql.indexOf('\0')));
  const answer = queue.then(() => parseWithRetry(sql));
  queue = answer.catch(() => undefined);
  remember(sql, answer);
  return answer;
}

function remember(sql: string, answer: Promise<ParseResult>): void {
  cache.set(sql, answer);
  cachedBytes += sql.length;
  answer.catch(() => forget(sql, answer));
  for (const [oldest, held] of cache) {
    if (cache.size <= CACHE_ENTRIES && cachedBytes <= CACHE_BYTES) break;
    forget(oldest, held);
  }
}

function forget(sql: string, held: Promise<ParseResult>): void {
  if (cache.get(sql) !== held) return;
  cache.delete(sql);
  cachedBytes -= sql.length;
}

const refusal = (message: string, position = 0): ParseResult => ({ ok: false, message, position });

async function parseWithRetry(sql: string): Promise<ParseResult> {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const parser = await instance();
    const result = parser.parse(sql);
    if (result !== null) return result;
    current = null;
  }
  return refusal('the SQL text is nested too deeply or too large to parse');
}

/** The part of the module that is used. */
interface Library {
  allocate(bytes: Uint8Array | readonly number[], where: number): number;
  readonly ALLOC_STACK: number;
  readonly HEAPU8: Uint8Array;
  _free(pointer: number): void;
  raw_parse(pointer: number): {
    readonly parse_tree: string;
    readonly error: { readonly message: string; readonly cursorpos: number };
  };
}

let current: Parser | null = null;

async function instance(): Promise<Parser> {
  if (current === null || current.spent()) current = new Parser(await newLibrary());
  return current;
}

async function newLibrary(): Promise<Library> {
  // @ts-expect-error the package has no types
  const module: unknown = await import('pg-query-emscripten/pg_query_wasm.js');
  const { default: create } = module as { readonly default: new () => PromiseLike<Library> };
  // The library binds these when it is created, and prints memory statistics and "Terminating process" through them:
  // into the one document that --json promises.
  const { error, log } = console;
  console.error = () => undefined;
  console.log = () => undefined;
  let created: PromiseLike<Library>;
  try {
    created = new create();
  } finally {
    console.error = error;
    console.log = log;
  }
  try {
    return await created;
  } catch {
    // The library's own error prints a source line of megabytes.
    throw new TrueupError('INTERNAL', 'the SQL parser could not be started');
  }
}

const STACK_BYTES = 65_536;
const GUARD_BYTES = 8_192;
const GUARD = Buffer.alloc(GUARD_BYTES, 0xa5);
const HEAP = 0;

/**
 * One instance of the library, by its raw entry point: the `parse` that it offers puts each text on its stack of 64 KB,
 * never takes it off, and dies after some 55 KB of texts. Copied to the heap instead, nothing leaks. What remains is
 * that deep nesting runs over the end of the stack into other data without an error, and can give a wrong tree: so the
 * last bytes of the stack hold a pattern, and a parse that has touched it does not count.
 */
class Parser {
  readonly #library: Library;
  readonly #guardStart: number;
  #calls = 0;
  #bytes = 0;

  constructor(library: Library) {
    this.#library = library;
    const top = library.allocate([0, 0, 0, 0], library.ALLOC_STACK);
    this.#guardStart = top - STACK_BYTES + 64;
    library.HEAPU8.set(GUARD, this.#guardStart);
  }

  spent(): boolean {
    return this.#calls >= INSTANCE_CALLS || this.#bytes >= INSTANCE_BYTES;
  }

  /** Null when the library failed, which says nothing of the text; this instance must not be used again then. */
  parse(sql: string): ParseResult | null {
    const bytes = new TextEncoder().encode(`${sql}\0`);
    this.#calls += 1;
    this.#bytes += bytes.length;
    try {
      const pointer = this.#library.allocate(bytes, HEAP);
      if (pointer === 0) return null;
      const { parse_tree: tree, error } = this.#library.raw_parse(pointer);
      this.#library._free(pointer);
      if (!this.#guardIntact() || /out of memory|stack depth/u.test(error.message)) return null;
      if (error.message !== '') return syntaxError(sql, error.message, error.cursorpos);
      const parsed = JSON.parse(tree) as { readonly stmts?: readonly { readonly stmt?: Node }[] };
      const statements = (parsed.stmts ?? []).map(({ stmt }) => stmt ?? {});
      return restoreNegatives(statements, bytes) ? { ok: true, statements } : refusal('a number that cannot be read');
    } catch {
      return null;
    }
  }

  #guardIntact(): boolean {
    const guard = this.#library.HEAPU8.subarray(this.#guardStart, this.#guardStart + GUARD_BYTES);
    return Buffer.compare(guard, GUARD) === 0;
  }
}

/** The library counts code points from 1. */
function syntaxError(sql: string, message: string, cursor: number): ParseResult {
  let position = 0;
  for (let left = cursor - 1; left > 0 && position < sql.length; left -= 1) {
    position += (sql.codePointAt(position) ?? 0) > 0xffff ? 2 : 1;
  }
  return { ok: false, message: message.length > 200 ? `${message.slice(0, 200)}…` : message, position };
}

/**
 * The library writes every integer below 1 as `{}`, so that -1 and 0 look the same. The text at the constant's location
 * tells them apart.
 */
function restoreNegatives(statements: readonly Node[], bytes: Uint8Array): boolean {
  let complete = true;
  walk(statements, ({ kind, body }) => {
    const integer = kind === 'A_Const' ? (body.ival as { ival?: number } | undefined) : undefined;
    if (integer === undefined || integer.ival !== undefined) return;
    const start = locationOf(body);
    const source = new TextDecoder().decode(bytes.subarray(start, start + 200));
    const sign = /^-(?:\s|--[^\n\r]*[\n\r]|\/\*[^*]*\*\/)*/u.exec(source)?.[0];
    const digits = /^(?:0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|\d[\d_]*)/u.exec(source.slice(sign?.length ?? 0));
    const value = digits === null ? Number.NaN : Number(digits[0].replaceAll('_', ''));
    if (Number.isNaN(value) || (sign === undefined && value !== 0)) complete = false;
    else integer.ival = value === 0 ? 0 : -value;
  });
  return complete;
}
