/** How a value of a result is read from its text, by type oid; what is not listed stays text. */
export type ValueParser = (text: string) => unknown;

const identity: ValueParser = (text) => text;
const json: ValueParser = (text): unknown => JSON.parse(text);
const boolean: ValueParser = (text) => text === 't';

/** Type, array type, parser. Oids of pg_type.dat; the same over both drivers, so that nothing above knows which. */
const TYPES: readonly (readonly [type: number, array: number, parser: ValueParser])[] = [
  [16, 1000, boolean],
  [17, 1001, identity], // bytea
  [18, 1002, identity], // "char"
  [19, 1003, identity], // name
  [20, 1016, identity], // bigint: does not fit a JavaScript number
  [21, 1005, Number],
  [23, 1007, Number],
  [25, 1009, identity],
  [26, 1028, Number], // oid
  [114, 199, json],
  [700, 1021, Number],
  [701, 1022, Number],
  [1042, 1014, identity],
  [1043, 1015, identity],
  [1082, 1182, identity], // date
  [1114, 1115, identity], // timestamp
  [1184, 1185, identity], // timestamptz
  [1700, 1231, identity], // numeric
  [2205, 2210, identity], // regclass
  [2206, 2211, identity], // regtype
  [2950, 2951, identity], // uuid
  [3802, 3807, json],
];

/**
 * Every parser by oid, arrays among them. Types that stay text are listed too: PGlite has parsers of its own for what it
 * is not told.
 */
export const VALUE_PARSERS: ReadonlyMap<number, ValueParser> = new Map(
  TYPES.flatMap(([type, array, parser]): [number, ValueParser][] => [
    [type, parser],
    [array, (text) => parseArray(text, parser)],
  ]),
);

/** An array as the server writes it: `{1,NULL,"a \"b\""}`, nested, with or without `[2:3]=` bounds. */
export function parseArray(text: string, parse: ValueParser): unknown[] {
  let at = text.indexOf('{');
  const level = (): unknown[] => {
    const items: unknown[] = [];
    at += 1;
    while (at < text.length && text[at] !== '}') {
      if (text[at] === ',') at += 1;
      else if (text[at] === '{') items.push(level());
      else if (text[at] === '"') items.push(parse(quoted()));
      else {
        const end = nextEnd();
        const bare = text.slice(at, end);
        at = end;
        items.push(bare === 'NULL' ? null : parse(bare));
      }
    }
    at += 1;
    return items;
  };
  // Sought once, not for each item: of a flat array it is the last character.
  let brace = -1;
  const nextEnd = (): number => {
    const comma = text.indexOf(',', at);
    if (brace < at) brace = text.indexOf('}', at);
    if (brace < 0) return text.length;
    return comma < 0 ? brace : Math.min(comma, brace);
  };
  const quoted = (): string => {
    let value = '';
    at += 1;
    while (at < text.length && text[at] !== '"') {
      if (text[at] === '\\') at += 1;
      value += text[at] ?? '';
      at += 1;
    }
    at += 1;
    return value;
  };
  return level();
}

/**
 * A parameter as text, the form that both drivers send: arrays as PostgreSQL's, other objects as JSON. The type is the
 * server's to infer.
 */
export function parameterText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return arrayText(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function arrayText(values: readonly unknown[]): string {
  const items = values.map((value) => {
    if (Array.isArray(value)) return arrayText(value);
    if (typeof value === 'number') return String(value);
    const text = parameterText(value);
    return text === null ? 'NULL' : `"${TO_ESCAPE.test(text) ? text.replaceAll(EACH_TO_ESCAPE, '\\$&') : text}"`;
  });
  return `{${items.join(',')}}`;
}

/** Asked first: of the hundred thousand texts that a plan of a large fleet sends, few hold any. */
const TO_ESCAPE = /["\\]/u;
const EACH_TO_ESCAPE = /["\\]/gu;
