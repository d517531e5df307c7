/** What values a type with modifiers can hold: of two of one family without a scale, or of one scale, the larger holds the other's. */
interface Capacity {
  readonly family: string;
  readonly size: number;
  /** Digits behind the point, which a value of the other scale would be rounded to. Null: as many as each value has. */
  readonly scale: number | null;
}

/**
 * Whether PostgreSQL changes one type to the other in its catalogs alone, without a look at the rows: a longer `varchar` or `varbit`,
 * `text` for one, a `numeric` of more digits before the point, a time of finer seconds. As `varchar_support`, `varbit_support`,
 * `numeric_support` and `TemporalSimplify` of its source tell it. Anything else rewrites the table, or reads every row.
 */
export function isWider(to: string, from: string): boolean {
  const [wide, narrow] = [capacity(to), capacity(from)];
  return (
    wide !== null &&
    narrow !== null &&
    wide.family === narrow.family &&
    wide.size >= narrow.size &&
    (wide.scale === null || wide.scale === narrow.scale)
  );
}

/** Microseconds are the finest; a time without a precision has them. */
const FINEST = 6;

function capacity(type: string): Capacity | null {
  const form = /^([a-z ]+?)\s*(?:\(\s*(\d+)\s*(?:,\s*(-?\d+)\s*)?\))?(\s+with(?:out)? time zone)?$/iu.exec(type.trim());
  const [, name = '', size, scale = '0', zone = ''] = form ?? [];
  const family = FAMILIES.get(`${name}${zone}`.toLowerCase().replaceAll(/\s+/gu, ' '));
  if (family === undefined) return null;
  if (family.startsWith('time')) return { family, size: Number(size ?? FINEST), scale: null };
  if (size === undefined) return { family, size: Number.POSITIVE_INFINITY, scale: null };
  return { family, size: Number(size), scale: family === 'numeric' ? Number(scale) : null };
}

/** By how PostgreSQL writes a type, and by what it also reads. */
const FAMILIES: ReadonlyMap<string, string> = new Map([
  ...['text', 'varchar', 'character varying'].map((name) => [name, 'text'] as const),
  ...['varbit', 'bit varying'].map((name) => [name, 'varbit'] as const),
  ...['numeric', 'decimal', 'dec'].map((name) => [name, 'numeric'] as const),
  ...['timestamp', 'timestamp without time zone'].map((name) => [name, 'timestamp'] as const),
  ...['timestamptz', 'timestamp with time zone'].map((name) => [name, 'timestamptz'] as const),
  ...['time', 'time without time zone'].map((name) => [name, 'time'] as const),
  ...['timetz', 'time with time zone'].map((name) => [name, 'timetz'] as const),
]);
