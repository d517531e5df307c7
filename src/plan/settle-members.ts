import { copiedOf, type DigestedMembers, predicateVariables, readDiffering } from '../catalog/expected-members.js';
import type { ReadKind } from '../catalog/owned-reads.js';
import { isDigested } from '../catalog/ownership-filter.js';
import { readFamilyRows } from '../catalog/row-facts.js';
import { WORTH_A_SESSION, withSessionBeside } from '../catalog/shared-snapshot.js';
import { groupBy } from '../collections.js';
import type { DesiredTable, IndexFamily } from '../desired-state/model.js';
import type { DiffContext } from '../diff/context.js';
import { expectedMembers, MemberProblem } from '../diff/family-members.js';
import { isMember } from '../diff/member-difference.js';
import { memberFormat } from '../diff/member-format.js';
import { PredicateMatcher } from '../diff/predicate-matcher.js';
import type { FleetContext } from './fleet-context.js';
import type { TenantRead } from './tenant-read.js';

/** How a tenant's facts are asked for: `attempt` is made again when questions that it left open are answered. */
export type AskingAs = <T>(tenant: TenantRead, attempt: (context: DiffContext) => T) => Promise<T>;

/** Kinds of members that are judged, in a fleet that has more: the most frequent. What is left is read in detail. */
const MOST_GROUPS = 20;

/**
 * Compares members with rows by digests, both made on the server: one index of each kind is judged, and says how the server
 * writes the predicates of all. A tenant is settled when every one of its members is exactly as its rows ask for: gives
 * the schemas of those.
 */
export async function settleMembers(
  tenants: readonly TenantRead[],
  kinds: ReadonlyMap<string, ReadKind>,
  fleet: Pick<FleetContext, 'session' | 'beside' | 'ahead' | 'tables' | 'memberSeed'>,
  asking: AskingAs,
): Promise<ReadonlySet<string>> {
  let settled = tenants;
  for (const table of fleet.tables.filter(isDigested))
    for (const [at, family] of table.families.entries()) {
      const formats = await learnFormats(settled, { table, at, family, kinds }, fleet, asking);
      const key = memberKey(table.name, at);
      const compared = settled.flatMap((tenant): DigestedMembers[] => {
        const digest = tenant.members.get(key)?.digest ?? '';
        const format = formats.get(tenant.schema);
        return format === undefined ? [] : [{ schema: tenant.schema, digest, format }];
      });
      const copied = await copiedOf(family);
      const plain = copied === null ? undefined : await fleet.ahead.of(copied);
      const beside = compared.length < WORTH_A_SESSION ? null : fleet.beside;
      const differing = await withSessionBeside(fleet.session, beside, (sessions) =>
        readDiffering(sessions, family, compared, fleet.memberSeed, plain),
      );
      settled = settled.filter(({ schema }) => formats.has(schema) && !differing.has(schema));
    }
  return new Set(settled.map((tenant) => tenant.schema));
}

/** Where a tenant's members of one family are found. */
export const memberKey = (table: string, family: number): string => `${table}\0${family}`;

interface Digested {
  readonly table: DesiredTable;
  readonly at: number;
  readonly family: IndexFamily;
  readonly kinds: ReadonlyMap<string, ReadKind>;
}

/** The format of each tenant's predicates; left out where its members are of a kind that is not right, or cannot be told. */
async function learnFormats(
  tenants: readonly TenantRead[],
  of: Digested,
  fleet: Pick<FleetContext, 'session' | 'tables'>,
  asking: AskingAs,
): Promise<ReadonlyMap<string, string | null>> {
  const { table, at, family } = of;
  const formats = new Map<string, string | null>();
  const key = memberKey(table.name, at);
  const kindsOf = (tenant: TenantRead) => tenant.members.get(key)?.kinds ?? NONE;
  // Members are right or wrong for the table that they stand on: what is said of one shape is not said of another.
  const groups = [...groupBy(tenants, kindsOf).values()].flatMap((alike) => [
    ...groupBy(alike, (tenant) => tenant.tables.get(table.name)?.oid ?? '').values(),
  ]);
  const judged = groups.sort((left, right) => right.length - left.length);
  const without = judged.filter(([first]) => first !== undefined && kindsOf(first).length === 0);
  // No member at all: in order when the rows ask for none.
  for (const tenant of without.flat()) formats.set(tenant.schema, null);
  const those = judged.filter((group) => !without.includes(group)).slice(0, MOST_GROUPS);
  const asked = those.flatMap(([first]) => (first === undefined ? [] : kindsOf(first)));
  const examples = [...new Set(asked)].flatMap((kind) => of.kinds.get(kind)?.examples ?? []);
  const rows = await readExampleRows(
    examples.map((example) => example.schema),
    family,
    fleet,
  );
  const matcher = new PredicateMatcher();
  for (const group of those) {
    const [first] = group;
    if (first === undefined) continue;
    const found = new Set<string | null | undefined>();
    for (const kind of kindsOf(first))
      found.add(await asking(first, (context) => formatOf(of, kind, { rows, tenant: first, matcher, context })));
    const [format] = found;
    if (found.size === 1 && format !== undefined) for (const tenant of group) formats.set(tenant.schema, format);
  }
  return formats;
}

const NONE: readonly string[] = [];

type FamilyRows = ReadonlyMap<string, readonly Readonly<Record<string, string>>[]>;

async function readExampleRows(
  schemas: readonly string[],
  family: IndexFamily,
  fleet: Pick<FleetContext, 'session'>,
): Promise<FamilyRows> {
  const { rows } = family;
  if (rows === null || schemas.length === 0) return new Map();
  const tables = [...new Set(schemas)].map((schema) => ({ schema, table: rows.table }));
  return (await readFamilyRows(fleet.session, tables, rows.values)).rows;
}

/** What the first example of a kind that is a right member says; undefined when none is. */
function formatOf(
  { table, family, kinds }: Digested,
  kind: string,
  by: {
    readonly rows: FamilyRows;
    readonly tenant: TenantRead;
    readonly matcher: PredicateMatcher;
    readonly context: DiffContext;
  },
): string | null | undefined {
  const actual = by.tenant.tables.get(table.name)?.shape ?? null;
  if (actual === null) return undefined;
  const variables = predicateVariables(family);
  for (const example of kinds.get(kind)?.examples ?? []) {
    const member = membersOf(family, by.rows.get(example.schema) ?? [])?.get(example.index.name);
    if (member === undefined || !isMember({ family, actual }, member, example, by.matcher, by.context)) continue;
    const { where } = example.index;
    if (where === null) return null;
    const format = memberFormat(family, variables, member, where);
    if (format !== null) return format;
  }
  return undefined;
}

function membersOf(family: IndexFamily, rows: readonly Readonly<Record<string, string>>[]) {
  try {
    return expectedMembers(family, rows);
  } catch (error) {
    if (error instanceof MemberProblem) return null;
    throw error;
  }
}
