import type { OwnedRead } from '../catalog/owned-reads.js';
import { familyNamePattern, isDigested } from '../catalog/ownership-filter.js';
import { readFamilyRows } from '../catalog/row-facts.js';
import type { DesiredTable, IndexFamily } from '../desired-state/model.js';
import type { TenantChange } from '../diff/change.js';
import { type DiffContext, isTemporary } from '../diff/context.js';
import type { TenantDiff } from '../diff/diff-tenant.js';
import { diffFamily } from '../diff/families.js';
import { expectedMembers, MemberProblem } from '../diff/family-members.js';
import { knownFamilies, unexpectedMembers } from '../diff/former-members.js';
import { PredicateMatcher } from '../diff/predicate-matcher.js';
import { addsColumnOf } from './column-of-rows.js';
import { type Asking, askingOf, contextOf, type FleetContext, factsOf, fetchOpen } from './fleet-context.js';
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
  const found = new Map<string, TenantResult>();
  /** Candidates that no family so far renames or swaps into place. */
  const unclaimed = (tenant: TenantRead, table: DesiredTable) => {
    const result = found.get(tenant.schema);
    const claimed = new Set(
      (result !== undefined && 'changes' in result ? result.changes : [])
        .filter(({ change }) => change.table === table.name)
        .flatMap(({ members }) => members?.map((member) => member.from) ?? []),
    );
    return (batch.members.get(tenant.schema) ?? []).filter(
      (candidate) => candidate.table === table.name && !claimed.has(candidate.index.name),
    );
  };
  const replacedOf = (tenant: TenantRead, table: DesiredTable) =>
    diffs.get(tenant.schema)?.replaced.get(table.name) ?? new Set<string>();
  const addsColumns = (tenant: TenantRead, { rows }: IndexFamily) =>
    diffs.get(tenant.schema)?.changes.some((change) => addsColumnOf(rows, change)) ?? false;
  const names = new GivenNames(fleet.tables);
  for (const table of fleet.tables) {
    const tenants = batch.tenants.filter(({ schema }) => !(isDigested(table) && batch.settled.has(schema)));
    /** Tenants that get the columns which their families' rows are read by only now. */
    const early = new Set<string>();
    const patterns = table.families.map(patternOf);
    for (const [at, family] of table.families.entries()) {
      const others = patterns.filter((_, of) => of !== at);
      const pattern = patterns[at] ?? /$^/u;
      const earlier = table.families.slice(0, at).map((one) => ({ family: one, pattern: patternOf(one) }));
      const isOthers = (name: string) =>
        !isTemporary(name) && !pattern.test(name) && others.some((other) => other.test(name));
      const matcher = new PredicateMatcher();
      const source = family.rows;
      // New tenants, and tenants without the table that the rows stand in, have no member.
      const read =
        source === null
          ? null
          : await readFamilyRows(
              fleet.session,
              tenants
                .filter((tenant) => tenant.tables.has(source.table))
                .map((tenant) => ({ schema: tenant.schema, table: source.table })),
              source.values,
            );
      await diffEach(tenants, found, fleet, (tenant, context) => {
        if (lacksRows(tenant, family)) return [];
        const failed = read?.failed.get(tenant.schema);
        // To call it unreadable would hide the very change that makes it readable.
        if (failed?.lacksColumn === true && addsColumns(tenant, family)) {
          early.add(tenant.schema);
          return [];
        }
        if (failed !== undefined) throw new MemberProblem(failed.message);
        const rows = source === null ? [{}] : (read?.rows.get(tenant.schema) ?? []);
        const expected = expectedMembers(family, rows);
        names.take(tenant.schema, family, expected);
        const unknown = early.has(tenant.schema) || earlier.some((one) => lacksRows(tenant, one.family));
        const later = patterns.filter((_, of) => of > at || (of < at && unknown));
        return diffFamily(
          {
            desired: table,
            family,
            actual: tenant.tables.get(table.name)?.shape ?? null,
            expected,
            candidates: unclaimed(tenant, table).filter(({ index }) => !isOthers(index.name)),
            replaced: replacedOf(tenant, table),
            pattern,
            later,
            earlier,
            taken: names.of(tenant.schema, table.families.slice(0, at)),
          },
          matcher,
          context,
        );
      });
    }
    // Whatever no family of the backend that runs has a name or a use for.
    if (patterns.length > 0 || knownFamilies(fleet.desired.phases, table.name).length > 0)
      await diffEach(tenants, found, fleet, (tenant, context) => {
        if (early.has(tenant.schema) || table.families.some((family) => lacksRows(tenant, family))) return [];
        const left = unclaimed(tenant, table).filter(
          ({ index: { name } }) => isTemporary(name) || !patterns.some((one) => one.test(name)),
        );
        return unexpectedMembers(left, { desired: table, replaced: replacedOf(tenant, table) }, context);
      });
  }
  return found;
}

const patternOf = (family: IndexFamily): RegExp => new RegExp(familyNamePattern(family), 'su');

/**
 * Without the table that the rows stand in nobody can tell a member from an orphan: the next diff does, once the table is
 * made.
 */
const lacksRows = (tenant: TenantRead, family: IndexFamily): boolean =>
  family.rows !== null && !tenant.isNew && !tenant.tables.has(family.rows.table);

/** Diffs tenant by tenant, with the answers that each asks for, until none is open. */
async function diffEach(
  tenants: readonly TenantRead[],
  found: Map<string, TenantResult>,
  fleet: FleetContext,
  diff: (tenant: TenantRead, context: DiffContext) => readonly TenantChange[],
): Promise<void> {
  let waiting = tenants;
  while (waiting.length > 0) {
    const open: TenantRead[] = [];
    const asking: Asking[] = [];
    for (const tenant of waiting) {
      const sheet = factsOf(tenant, fleet);
      try {
        const changes = diff(tenant, contextOf(tenant, sheet, fleet));
        if (sheet.open.size > 0) {
          open.push(tenant);
          asking.push(askingOf(tenant, sheet));
          continue;
        }
        const before = found.get(tenant.schema);
        if (before === undefined || 'changes' in before)
          found.set(tenant.schema, { changes: [...(before?.changes ?? []), ...changes] });
      } catch (error) {
        if (!(error instanceof MemberProblem)) throw error;
        found.set(tenant.schema, { problem: error.message });
      }
    }
    await fetchOpen(asking, fleet);
    waiting = open;
  }
}
