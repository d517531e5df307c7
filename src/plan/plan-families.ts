import type { OwnedRead } from '../catalog/owned-reads.js';
import { familyNamePattern, isDigested } from '../catalog/ownership-filter.js';
import { readFamilyRows } from '../catalog/row-facts.js';
import type { Session } from '../database/session.js';
import type { DesiredTable, IndexFamily } from '../desired-state/model.js';
import type { TenantDiff } from '../diff/diff-tenant.js';
import { diffFamily } from '../diff/families.js';
import { expectedMembers, MemberProblem } from '../diff/family-members.js';
import { knownFamilies, unexpectedMembers } from '../diff/former-members.js';
import { sparingMembers } from '../diff/kin.js';
import { PredicateMatcher } from '../diff/predicate-matcher.js';
import { isTemporary } from '../sql/temporary-name.js';
import { FamilyResults } from './family-results.js';
import type { FleetContext } from './fleet-context.js';
import { GivenNames } from './given-names.js';
import type { TenantRead, TenantResult } from './tenant-read.js';

/** Tenants whose families are compared member by member. */
export interface FamilyBatch {
  readonly tenants: readonly TenantRead[];
  /** Indexes that may be members, by tenant. */
  readonly members: ReadonlyMap<string, readonly OwnedRead[]>;
  /** Tenants whose digested members are in order. */
  readonly settled: ReadonlySet<string>;
}

/** What each tenant's families need: rows differ, so every tenant has a diff of its own. */
export async function planFamilies(
  batch: FamilyBatch,
  diffs: ReadonlyMap<string, TenantDiff>,
  fleet: FleetContext,
): Promise<ReadonlyMap<string, TenantResult>> {
  const results = new FamilyResults(batch.members, diffs, fleet);
  const names = new GivenNames(fleet.tables);
  for (const table of fleet.tables) {
    const on: FamilyTable = {
      table,
      families: table.families.map((family) => ({ family, pattern: new RegExp(familyNamePattern(family), 'su') })),
      tenants: batch.tenants.filter(({ schema }) => !(isDigested(table) && batch.settled.has(schema))),
      early: new Set(),
    };
    for (const [at, named] of on.families.entries())
      await planFamily(
        on,
        { ...named, earlier: on.families.slice(0, at), later: on.families.slice(at + 1) },
        names,
        results,
      );
    if (on.families.length > 0 || knownFamilies(fleet.desired.phases, table.name).length > 0)
      await planLeftOver(on, results);
  }
  return results.found;
}

/** A family, and what matches every name that it can give. */
interface NamedFamily {
  readonly family: IndexFamily;
  readonly pattern: RegExp;
}

/** A table, and the tenants whose members on it are compared. */
interface FamilyTable {
  readonly table: DesiredTable;
  readonly families: readonly NamedFamily[];
  readonly tenants: readonly TenantRead[];
  /** Tenants that get the columns which their families' rows are read by only now. */
  readonly early: Set<string>;
}

/** A family among the others of its table, which are diffed in order. */
interface PlacedFamily extends NamedFamily {
  readonly earlier: readonly NamedFamily[];
  readonly later: readonly NamedFamily[];
}

async function planFamily(
  { table, tenants, early }: FamilyTable,
  { family, pattern, earlier, later }: PlacedFamily,
  names: GivenNames,
  results: FamilyResults,
): Promise<void> {
  const others = [...earlier, ...later];
  const isOthers = (name: string) =>
    !isTemporary(name) && !pattern.test(name) && others.some((other) => other.pattern.test(name));
  const matcher = new PredicateMatcher();
  const read = await readRows(family, tenants, results.fleet.session);
  await results.diffEach(tenants, (tenant, context) => {
    const { schema } = tenant;
    if (lacksRows(tenant, family)) return [];
    const failed = read.failed.get(schema);
    // To call it unreadable would hide the very change that makes it readable.
    if (failed?.lacksColumn === true && results.addsColumns(tenant, family)) {
      early.add(schema);
      return [];
    }
    if (failed !== undefined) throw new MemberProblem(failed.message);
    const expected = expectedMembers(family, read.rows.get(schema) ?? []);
    names.take(schema, family, expected);
    const isUnknown = early.has(schema) || earlier.some((one) => lacksRows(tenant, one.family));
    const actual = tenant.tables.get(table.name)?.shape ?? null;
    const found = diffFamily(
      {
        desired: table,
        family,
        actual,
        expected,
        candidates: results.unclaimed(tenant, table).filter(({ index }) => !isOthers(index.name)),
        replaced: results.replaced(tenant, table),
        pattern,
        later: (isUnknown ? others : later).map((other) => other.pattern),
        earlier,
        taken: names.of(
          schema,
          earlier.map((one) => one.family),
        ),
      },
      matcher,
      context,
    );
    return sparingMembers(found, actual, context);
  });
}

/** Whatever no family of the backend that runs has a name or a use for. */
async function planLeftOver({ table, families, tenants, early }: FamilyTable, results: FamilyResults): Promise<void> {
  await results.diffEach(tenants, (tenant, context) => {
    if (early.has(tenant.schema) || families.some(({ family }) => lacksRows(tenant, family))) return [];
    const left = results
      .unclaimed(tenant, table)
      .filter(({ index: { name } }) => isTemporary(name) || !families.some(({ pattern }) => pattern.test(name)));
    const found = unexpectedMembers(left, { desired: table, replaced: results.replaced(tenant, table) }, context);
    return sparingMembers(found, tenant.tables.get(table.name)?.shape ?? null, context);
  });
}

/** The rows that give a family's members. New tenants, and tenants without the table that they stand in, have none. */
async function readRows(
  { rows: source }: IndexFamily,
  tenants: readonly TenantRead[],
  session: Session,
): ReturnType<typeof readFamilyRows> {
  if (source === null) return { rows: new Map(tenants.map(({ schema }) => [schema, [{}]])), failed: new Map() };
  const { table, values } = source;
  const those = tenants.filter((tenant) => tenant.tables.has(table));
  return readFamilyRows(
    session,
    those.map(({ schema }) => ({ schema, table })),
    values,
  );
}

/**
 * Without the table that the rows stand in nobody can tell a member from an orphan: the next diff does, once the table is
 * made.
 */
const lacksRows = (tenant: TenantRead, family: IndexFamily): boolean =>
  family.rows !== null && !tenant.isNew && !tenant.tables.has(family.rows.table);
