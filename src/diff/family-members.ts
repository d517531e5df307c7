import type { IndexFamily, NamePart } from '../desired-state/model.js';
import { joinSql, literalVariable, relativeSql, renderSql, type SqlTemplate, TENANT_SCHEMA } from '../sql/template.js';

/** A member as the rows ask for it. */
export interface ExpectedMember {
  readonly name: string;
  /** Every variable of the family's templates: `shop.id` … */
  readonly values: Readonly<Record<string, string>>;
  /** The predicate as SQL, relative to the tenant; null for none. */
  readonly where: string | null;
}

/** Why a tenant's rows give no sound set of members. */
export class MemberProblem extends Error {}

/**
 * The members that a family has in one tenant: its rows crossed with its lists. Row by row, in an order of their values: they come
 * as they stand in their table, and whoever updates one moves it. A saved plan would take that for another tenant.
 * @throws {MemberProblem} when two members would share a name, or a name is longer than 63 bytes.
 */
export function expectedMembers(
  family: IndexFamily,
  rows: readonly Readonly<Record<string, string>>[],
): ReadonlyMap<string, ExpectedMember> {
  let combinations: Readonly<Record<string, string>>[] = [{}];
  if (family.rows !== null) {
    const { name } = family.rows;
    combinations = byValues(rows).map((row) => prefixed(name, row));
  }
  for (const list of family.lists)
    combinations = combinations.flatMap((values) =>
      list.entries.map((entry) => ({ ...values, ...prefixed(list.name, entry) })),
    );
  const where = predicateTemplate(family);
  const members = new Map<string, ExpectedMember>();
  for (const values of combinations) {
    const name = fill(family.name, values);
    if (Buffer.byteLength(name) > 63)
      throw new MemberProblem(`index family ${family.label} gives a name longer than 63 bytes`);
    if (members.has(name)) throw new MemberProblem(`index family ${family.label} gives the name ${name} twice`);
    members.set(name, {
      name,
      values,
      where: where === null ? null : renderSql(where, { ...values, schema: TENANT_SCHEMA }),
    });
  }
  return members;
}

/** The family's predicate with its members' values left open. */
export function predicateTemplate(family: Pick<IndexFamily, 'where'>): SqlTemplate | null {
  if (family.where === null) return null;
  return joinSql(
    family.where.map((part) => (typeof part === 'string' ? relativeSql(part) : literalVariable(part.variable))),
    '',
  );
}

function byValues<T>(rows: readonly T[]): readonly T[] {
  const keyed = rows.map((row) => [JSON.stringify(row), row] as const);
  return keyed.sort(([left], [right]) => (left < right ? -1 : 1)).map(([, row]) => row);
}

function prefixed(set: string, values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([value, text]) => [`${set}.${value}`, text]));
}

function fill(parts: readonly NamePart[], values: Readonly<Record<string, string>>): string {
  return parts.map((part) => (typeof part === 'string' ? part : (values[part.variable] ?? ''))).join('');
}
