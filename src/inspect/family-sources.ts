import type { Session } from '../database/session.js';
import type { TableShape } from '../shape/table-shape.js';
import { quoteIdentifier } from '../sql/quote.js';
import { readFew } from './few-rows.js';

/** A table whose rows may be what a family was made from. */
export interface FamilySource {
  readonly table: string;
  readonly candidates: readonly Candidate[];
  /** A row's values, one a candidate. */
  readonly rows: readonly (readonly string[])[];
}

/** What of a row may stand in a member's name or predicate. */
export interface Candidate {
  /** The value's name in the file. */
  readonly name: string;
  /** SQL over the table's columns: only immutable functions of pg_catalog, since plan evaluates it. */
  readonly expression: string;
}

/** Columns beyond these are not looked at: keys stand at a table's head. */
const COLUMNS = 24;

/**
 * Reads the tables that have at most `limit` rows, in the forms in which applications write a row's key into names.
 * One statement a table; no row is kept of a larger one.
 */
export async function readSources(
  session: Session,
  schema: string,
  tables: readonly TableShape[],
  limit: number,
): Promise<readonly FamilySource[]> {
  const sources: FamilySource[] = [];
  for (const table of tables.filter((one) => one.kind === 'table')) {
    const candidates = candidatesOf(table);
    if (candidates.length === 0) continue;
    const from = `${quoteIdentifier(schema)}.${quoteIdentifier(table.name)}`;
    const expressions = candidates.map((candidate) => candidate.expression);
    const rows = await readFew(session, from, expressions, limit);
    if (rows === null || rows.length === 0) continue;
    // A value that some row lacks names no member of that row.
    const whole = candidates.flatMap((_, at) => (rows.every((row) => row[at] != null) ? [at] : []));
    sources.push({
      table: table.name,
      candidates: whole.flatMap((at) => candidates[at] ?? []),
      rows: rows.map((row) => whole.map((at) => row[at] ?? '')),
    });
  }
  return sources;
}

/** The forms of each column that a key can have in a name. */
function candidatesOf(table: TableShape): readonly Candidate[] {
  const taken = new Set<string>();
  return table.columns.slice(0, COLUMNS).flatMap((column) => {
    const own = quoteIdentifier(column.name);
    return formsOf(column.type, own).map(([suffix, expression]) => {
      const base = `${
        column.name
          .toLowerCase()
          .replaceAll(/[^a-z0-9_]/gu, '_')
          .replace(/^[^a-z]+/u, '') || 'value'
      }${suffix}`;
      let name = base;
      for (let number = 2; taken.has(name); number += 1) name = `${base}_${number}`;
      taken.add(name);
      return { name, expression };
    });
  });
}

type Form = readonly [suffix: string, expression: string];

function formsOf(type: string, column: string): readonly Form[] {
  if (['smallint', 'integer', 'bigint'].includes(type)) return [['', column]];
  if (type === 'uuid')
    return [
      ['', column],
      ['_hex', `replace(${column}::text, '-', '')`],
      ['_words', `replace(${column}::text, '-', '_')`],
      ...[20, 16, 12, 8].map((length): Form => [`_${length}`, `left(replace(${column}::text, '-', ''), ${length})`]),
    ];
  if (type !== 'text' && !/^character varying(?:\(\d+\))?$/u.test(type)) return [];
  return [
    ['', column],
    ['_lower', `lower(${column})`],
    ['_words', `replace(${column}, '-', '_')`],
    ...[16, 8].map((length): Form => [`_${length}`, `left(${column}, ${length})`]),
    ['_md5', `md5(${column})`],
    ...[16, 12, 8].map((length): Form => [`_md5_${length}`, `left(md5(${column}), ${length})`]),
  ];
}
