import type { IndexFamily } from '../desired-state/model.js';
import type { Assumption, Member } from '../diff/change.js';
import { quoteIdentifier, quoteLiteral } from '../sql/quote.js';
import { renderSql } from '../sql/template.js';

/**
 * What a change relies on, checked again inside the script's transaction: the table is locked against writers, and rows
 * that have come since the plan stop the script before it loses them.
 * @param member the one whose statements follow
 */
export function evidenceSql(assumption: Assumption, member: Member, schema: string): readonly string[] {
  const table = `${quoteIdentifier(schema)}.${quoteIdentifier(assumption.table)}`;
  const contradiction = contradictionOf(assumption, table, member, schema);
  if (contradiction === null) return [];
  const message = quoteLiteral(`${contradiction.message}: plan again`);
  const body = `BEGIN IF ${contradiction.condition} THEN RAISE EXCEPTION USING MESSAGE = ${message}; END IF; END`;
  return [`LOCK TABLE ${table} IN SHARE MODE;`, `DO ${quoteLiteral(body)};`];
}

interface Contradiction {
  /** True when the evidence no longer holds. */
  readonly condition: string;
  readonly message: string;
}

function contradictionOf(assumption: Assumption, table: string, member: Member, schema: string): Contradiction | null {
  const come = `rows of ${assumption.table} have come that an index was to be dropped for want of`;
  if (assumption.kind === 'no-member') {
    const rows = memberRows(assumption.family, table, member.index ?? '');
    return rows === null ? null : { condition: `EXISTS (${rows})`, message: come };
  }
  if (assumption.kind === 'few-rows') {
    const { where, below } = assumption;
    const matching = where === null ? '' : ` WHERE ${renderSql(where, { ...member, schema })}`;
    const counted = `SELECT count(*) FROM (SELECT FROM ${table}${matching} LIMIT ${below}) AS r`;
    return { condition: `(${counted}) >= ${below}`, message: come };
  }
  const where = assumption.kind === 'no-values' ? ` WHERE ${quoteIdentifier(assumption.column)} IS NOT NULL` : '';
  return {
    condition: `EXISTS (SELECT FROM ${table}${where})`,
    message: `${assumption.table} was empty when the plan was made and holds data now`,
  };
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
