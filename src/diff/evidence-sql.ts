import type { IndexFamily } from '../desired-state/model.js';
import { quoteIdentifier, quoteLiteral } from '../sql/quote.js';
import { renderSql } from '../sql/template.js';
import type { Assumption, Member } from './change.js';

/** The SQLSTATE of evidence that no longer holds; in a class that PostgreSQL does not use. */
export const STALE_EVIDENCE = 'TU001';

/**
 * A statement that fails with {@link STALE_EVIDENCE} where what a change relies on is so no longer: to stand before the
 * change, in its transaction, behind a lock that keeps writers out. Null where no rows can contradict.
 * @param member the one whose statements follow
 */
export function evidenceSql(assumption: Assumption, member: Member, schema: string): string | null {
  const table = `${quoteIdentifier(schema)}.${quoteIdentifier(assumption.table)}`;
  const contradiction = contradictionOf(assumption, table, member, schema);
  if (contradiction === null) return null;
  const { conditions, message } = contradiction;
  const raise =
    `RAISE EXCEPTION USING ERRCODE = ${quoteLiteral(STALE_EVIDENCE)}, ` +
    `MESSAGE = ${quoteLiteral(message)}, HINT = ${quoteLiteral('plan again')}`;
  // One inside the other: PL/pgSQL does not even plan the second when the first is false.
  const body = conditions.reduceRight((inner, condition) => `IF ${condition} THEN ${inner}; END IF`, raise);
  return `DO ${quoteLiteral(`BEGIN ${body}; END`)}`;
}

interface Contradiction {
  /** All true when the evidence no longer holds. */
  readonly conditions: readonly string[];
  readonly message: string;
}

function contradictionOf(assumption: Assumption, table: string, member: Member, schema: string): Contradiction | null {
  const come = rowsHaveCome(assumption.table);
  if (assumption.kind === 'no-member') {
    const rows = memberRows(assumption.family, table, member.index ?? '');
    return rows === null ? null : { conditions: [`EXISTS (${rows})`], message: come };
  }
  if (assumption.kind === 'few-rows') {
    return { conditions: [`(${countSql(assumption, member, schema)}) >= ${assumption.below}`], message: come };
  }
  const message = `${assumption.table} was empty when the plan was made and holds data now`;
  if (assumption.kind === 'no-values') {
    const values = `SELECT FROM ${table} WHERE ${quoteIdentifier(assumption.column)} IS NOT NULL`;
    return { conditions: [`EXISTS (${values})`], message };
  }
  // Planning the question opens all indexes of the table, which takes longer than all else: a size of 0 answers it, but for
  // the rows of tables that inherit from it, which would lose a column with it.
  const size =
    `(SELECT pg_catalog.pg_relation_size(c.oid) > 0 OR c.relhassubclass FROM pg_catalog.pg_class c ` +
    `WHERE c.oid = ${quoteLiteral(table)}::pg_catalog.regclass)`;
  return { conditions: [size, `EXISTS (SELECT FROM ${table})`], message };
}

/** What is said where an index was to go for want of rows. */
export const rowsHaveCome = (table: string): string =>
  `rows of ${table} have come that an index was to be dropped for want of`;

/** Counts a member's rows, no further than to where they are too many. */
export function countSql(
  { table, where, below }: Extract<Assumption, { kind: 'few-rows' }>,
  member: Member,
  schema: string,
): string {
  const matching = where === null ? '' : ` WHERE ${renderSql(where, { ...member, schema })}`;
  const of = `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
  return `SELECT count(*) FROM (SELECT FROM ${of}${matching} LIMIT ${below}) AS r`;
}

/** The rows that give a member of that name; null for a family that no rows generate. */
function memberRows(family: IndexFamily, table: string, index: string): string | null {
  if (family.rows === null) return null;
  const { name: set, values } = family.rows;
  const columns = new Map(Object.keys(values).map((value, at) => [`${set}.${value}`, `v${at}`]));
  const read = Object.values(values).map((expression, at) => `(${expression})::text AS v${at}`);
  const names = namesOf(family, columns).map((name) => `${name} = ${quoteLiteral(index)}`);
  // A row without one of the values has no member.
  const complete = [...columns.values()].map((column) => `${column} IS NOT NULL`);
  return `SELECT FROM (SELECT ${read.join(', ')} FROM ${table}) AS r WHERE ${[...complete, `(${names.join(' OR ')})`].join(' AND ')}`;
}

/** The names that one row gives, as SQL: one for each combination of the family's lists. */
function namesOf(family: IndexFamily, columns: ReadonlyMap<string, string>): readonly string[] {
  let combinations: readonly ReadonlyMap<string, string>[] = [new Map()];
  for (const { name, entries } of family.lists)
    combinations = combinations.flatMap((values) =>
      entries.map(
        (entry) =>
          new Map([...values, ...Object.entries(entry).map(([value, text]) => [`${name}.${value}`, text] as const)]),
      ),
    );
  return combinations.map((values) =>
    family.name
      .map((part) =>
        typeof part === 'string'
          ? quoteLiteral(part)
          : (columns.get(part.variable) ?? quoteLiteral(values.get(part.variable) ?? '')),
      )
      .join(' || '),
  );
}
