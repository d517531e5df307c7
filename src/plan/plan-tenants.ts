import { familyNamePattern, isDigested } from '../catalog/owned.js';
import type { OwnedRead, ReadKind } from '../catalog/owned-reads.js';
import type { IndexUsage } from '../catalog/presence.js';
import { readFamilyRows } from '../catalog/row-facts.js';
import type { OpenBeside } from '../catalog/shared-snapshot.js';
import type { CatalogSnapshot, ReadTable } from '../catalog/snapshot.js';
import { groupBy } from '../collections.js';
import type { Session } from '../database/session.js';
import type { DesiredState, DesiredTable, IndexFamily } from '../desired-state/model.js';
import type { TenantChange } from '../diff/change.js';
import type { DiffContext } from '../diff/context.js';
import { diffTenant, type TenantDiff, tableKeys } from '../diff/diff-tenant.js';
import { FactSheet, questionKey } from '../diff/facts.js';
import { diffFamily } from '../diff/families.js';
import { MemberProblem } from '../diff/family-members.js';
import { formerMember, knownFamilies, unexpectedMembers } from '../diff/former-members.js';
import { PredicateMatcher } from '../diff/predicate-matcher.js';
import { awaitBuilds, invalidIndexes } from '../diff/running-builds.js';
import { settle } from '../diff/settle.js';
import type { Progress } from '../progress.js';
import type { Answers } from './answers.js';
import { type HeldMethod, refuseHeld } from './held-methods.js';
import { noteKeyFields } from './key-fields.js';
import { inOrder } from './order.js';
import { memberKey, settleMembers } from './settle-members.js';

/** A tenant as the catalogs have it; `tables` is empty for one that is still to be made. */
export interface TenantRead {
  readonly schema: string;
  readonly hash: string;
  readonly tables: ReadonlyMap<string, ReadTable>;
  /** What is read apart, but for `members`. */
  readonly owned: readonly OwnedRead[];
  /** Family members that are read as a digest, by {@link memberKey}. */
  readonly members: ReadonlyMap<string, DigestedFamily>;
  readonly isNew: boolean;
}

/** One family's members in one tenant. */
export interface DigestedFamily {
  readonly kinds: readonly string[];
  readonly digest: string;
}

/** What a tenant needs, or why that cannot be told. */
export type TenantResult = { readonly changes: readonly TenantChange[] } | { readonly problem: string };

/** Everything that does not change from tenant to tenant. */
export interface FleetContext {
  readonly session: Session;
  /** Opens a second session, for a fleet large enough to be read by two. */
  readonly beside: OpenBeside;
  readonly desired: DesiredState;
  /** The declared tables, names resolved in this database. */
  readonly tables: readonly DesiredTable[];
  readonly allow: DiffContext['allow'];
  readonly isDefaultOpclass: DiffContext['isDefaultOpclass'];
  readonly changesOwner: (schema: string) => boolean;
  readonly answers: Answers;
  /** The kinds that the tenants' members are of. */
  readonly kinds: ReadonlyMap<string, ReadKind>;
  /** Everything that is read apart of some tenants, one by one. */
  readonly readOwned: (schemas: readonly string[]) => Promise<ReadonlyMap<string, readonly OwnedRead[]>>;
  /** Extensions that cannot be created in this database: what their phases ask for is blocked. */
  readonly held: readonly HeldMethod[];
  readonly progress: Progress;
}

interface Batch {
  readonly tenants: readonly TenantRead[];
  readonly members: ReadonlyMap<string, readonly OwnedRead[]>;
  /** Tenants whose digested members are in order. */
  readonly settled: ReadonlySet<string>;
}

/** Diffs tenants by shape: one diff a group of tenants that look alike and gave the same answers. */
export async function planTenants(
  tenants: readonly TenantRead[],
  fleet: FleetContext,
): Promise<ReadonlyMap<string, TenantResult>> {
  const familyTables = new Map(
    fleet.tables
      .filter((table) => table.families.length > 0)
      .map((table) => [
        table.name,
        {
          indexes: new Set(table.indexes.map((index) => index.name)),
          phases: new Set(table.families.map((family) => family.phase)),
          patterns: table.families.map((family) => new RegExp(familyNamePattern(family), 'u')),
        },
      ]),
  );
  const isFormer = formerMember(fleet.desired.phases);
  const isCandidate = (read: OwnedRead) => {
    const declared = familyTables.get(read.table);
    if (declared === undefined) return isFormer(read.table, read.index);
    if (declared.indexes.has(read.index.name)) return false;
    // What another phase owns is compared with that phase's declared indexes, unless it stands in a member's place.
    const ofFamily = read.phase === null || declared.phases.has(read.phase);
    return ofFamily || declared.patterns.some((pattern) => pattern.test(read.index.name));
  };
  const apart = (tenant: TenantRead) => tenant.owned.filter((read) => !isCandidate(read));

  const alike = groupBy(tenants, (tenant) =>
    [
      tenant.hash,
      tenant.isNew,
      fleet.changesOwner(tenant.schema),
      ...apart(tenant)
        .map((read) => `${read.table}.${read.index.name}.${read.definition}.${read.index.where}`)
        .sort(),
    ].join('\0'),
  );
  const diffs = new Map<string, TenantDiff>();
  for (const group of alike.values()) await diffGroup(group, apart, fleet, diffs);

  const results = new Map<string, TenantResult>();
  const settled = await settledOf(tenants, isCandidate, diffs, fleet);
  const detailed = await fleet.readOwned(
    tenants.flatMap(({ schema, members }) => (members.size === 0 || settled.has(schema) ? [] : schema)),
  );
  const ownedBy = (tenant: TenantRead) => detailed.get(tenant.schema) ?? tenant.owned;
  const members = new Map(tenants.map((tenant) => [tenant.schema, ownedBy(tenant).filter(isCandidate)]));
  const withFamilies = await diffFamilies({ tenants, members, settled }, diffs, fleet);
  const everyTable = tableKeys(fleet.tables);
  const found = new Map<string, readonly TenantChange[]>();
  for (const tenant of tenants) {
    const family = withFamilies.get(tenant.schema);
    if (family !== undefined && 'problem' in family) {
      results.set(tenant.schema, family);
      continue;
    }
    const own = (diffs.get(tenant.schema)?.changes ?? []).map((change) => ({ change, members: null }));
    const noted = noteKeyFields([...own, ...(family?.changes ?? [])], fleet.tables);
    found.set(tenant.schema, refuseHeld(noted, fleet.held, fleet.tables, tenant.tables.size === 0));
  }
  for (const [tenant, wanted] of await withoutBuilds(tenants, found, ownedBy, fleet)) {
    const all = wanted.map((item) => withUsage(item, tenant.schema, fleet.answers));
    results.set(tenant.schema, { changes: all.length === 0 ? all : inOrder(settle(all, everyTable), everyTable) });
  }
  return results;
}

/** Each tenant's changes, with those put off that another session's running build forbids. */
async function withoutBuilds(
  tenants: readonly TenantRead[],
  found: ReadonlyMap<string, readonly TenantChange[]>,
  ownedBy: (tenant: TenantRead) => readonly OwnedRead[],
  fleet: FleetContext,
): Promise<readonly (readonly [TenantRead, readonly TenantChange[]])[]> {
  const wanted = tenants.flatMap((tenant) => {
    const items = found.get(tenant.schema);
    return items === undefined ? [] : [{ tenant, items, invalid: invalidIndexes(tenant.tables, ownedBy(tenant)) }];
  });
  const sheets = new Map<string, FactSheet>();
  for (const { tenant, items, invalid } of wanted) {
    const sheet = factsOf(tenant.schema, fleet);
    awaitBuilds(items, invalid, sheet);
    if (sheet.open.size > 0) sheets.set(tenant.schema, sheet);
  }
  await fetchOpen(
    tenants.filter((tenant) => sheets.has(tenant.schema)),
    sheets,
    fleet,
  );
  return wanted.map(({ tenant, items, invalid }) => [
    tenant,
    awaitBuilds(items, invalid, factsOf(tenant.schema, fleet)),
  ]);
}

/** Figures differ from tenant to tenant and are no part of what a class has in common: each tenant's stand beside it. */
function withUsage(item: TenantChange, schema: string, answers: Answers): TenantChange {
  if (item.change.action !== 'drop-index') return item;
  const names = item.members?.map((member) => member.index ?? '') ?? [item.change.object];
  const found = names.flatMap((index) => {
    const question = { kind: 'usage', index } as const;
    return (answers.of(schema, questionKey(question), question) as IndexUsage | undefined) ?? [];
  });
  if (found.length === 0) return item;
  const total = (of: (usage: IndexUsage) => number) => found.reduce((sum, usage) => sum + of(usage), 0);
  return { ...item, usage: { scans: total((usage) => usage.scans), bytes: total((usage) => usage.bytes) } };
}

/** Refines a group by the answers its tenants give, until each part needs one diff. */
async function diffGroup(
  group: readonly TenantRead[],
  apart: (tenant: TenantRead) => readonly OwnedRead[],
  fleet: FleetContext,
  diffs: Map<string, TenantDiff>,
): Promise<void> {
  let rest = group;
  while (rest.length > 0) {
    const [representative] = rest;
    if (representative === undefined) return;
    const { schema } = representative;
    const sheet = factsOf(schema, fleet);
    const shape = {
      tables: new Map([...representative.tables].map(([name, table]) => [name, table.shape])),
      owned: apart(representative),
    };
    const diff = diffTenant(shape, contextOf(representative, sheet, fleet));
    if (sheet.open.size > 0) {
      const schemas = rest.map((tenant) => tenant.schema);
      await fleet.answers.fetch(sheet.open.values(), schemas, (name) => representative.tables.get(name) ?? null);
      continue;
    }
    const others: TenantRead[] = [];
    for (const tenant of rest) {
      if (tenant === representative || fleet.answers.alike(schema, tenant.schema, sheet.asked))
        diffs.set(tenant.schema, diff);
      else others.push(tenant);
    }
    rest = others;
    fleet.progress.advance(group.length - others.length);
  }
}

/** Tenants whose digested members are in order, if nothing else stands in the way of saying so. */
async function settledOf(
  tenants: readonly TenantRead[],
  isCandidate: (read: OwnedRead) => boolean,
  diffs: ReadonlyMap<string, TenantDiff>,
  fleet: FleetContext,
): Promise<ReadonlySet<string>> {
  const tables = new Set(fleet.tables.filter(isDigested).map((table) => table.name));
  if (tables.size === 0) return new Set();
  const sources = new Set(
    fleet.tables.filter(isDigested).flatMap((table) => table.families.flatMap((family) => family.rows?.table ?? [])),
  );
  const open = tenants.filter(
    (tenant) =>
      !tenant.isNew &&
      [...tables, ...sources].every((table) => tenant.tables.has(table)) &&
      // Whatever is more than members could be one under another name, or what an interrupted run left.
      !tenant.owned.some((read) => tables.has(read.table) && isCandidate(read)) &&
      ![...tables].some((table) => (diffs.get(tenant.schema)?.replaced.get(table)?.size ?? 0) > 0),
  );
  return settleMembers(open, fleet.kinds, fleet, async (tenant, attempt) => {
    for (;;) {
      const sheet = factsOf(tenant.schema, fleet);
      const result = attempt(contextOf(tenant, sheet, fleet));
      if (sheet.open.size === 0) return result;
      await fetchOpen([tenant], new Map([[tenant.schema, sheet]]), fleet);
    }
  });
}

async function diffFamilies(
  batch: Batch,
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
  for (const table of fleet.tables) {
    const tenants = batch.tenants.filter(({ schema }) => !(isDigested(table) && batch.settled.has(schema)));
    const patterns = table.families.map((family) => new RegExp(familyNamePattern(family), 'u'));
    for (const [at, family] of table.families.entries()) {
      const others = patterns.filter((_, of) => of !== at);
      const pattern = patterns[at] ?? /$^/u;
      const isOthers = (name: string) => !pattern.test(name) && others.some((other) => other.test(name));
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
        if (failed !== undefined) throw new MemberProblem(failed);
        return diffFamily(
          {
            desired: table,
            family,
            actual: tenant.tables.get(table.name)?.shape ?? null,
            rows: source === null ? [{}] : (read?.rows.get(tenant.schema) ?? []),
            candidates: unclaimed(tenant, table).filter(({ index }) => !isOthers(index.name)),
            replaced: replacedOf(tenant, table),
            pattern,
            others,
          },
          matcher,
          context,
        );
      });
    }
    // Whatever no family of the backend that runs has a name or a use for.
    if (patterns.length > 0 || knownFamilies(fleet.desired.phases, table.name).length > 0)
      await diffEach(tenants, found, fleet, (tenant, context) => {
        if (table.families.some((family) => lacksRows(tenant, family))) return [];
        const left = unclaimed(tenant, table).filter(({ index }) => !patterns.some((one) => one.test(index.name)));
        return unexpectedMembers(left, { desired: table, replaced: replacedOf(tenant, table) }, context);
      });
  }
  return found;
}

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
    const sheets = new Map<string, FactSheet>();
    for (const tenant of waiting) {
      const sheet = factsOf(tenant.schema, fleet);
      try {
        const changes = diff(tenant, contextOf(tenant, sheet, fleet));
        if (sheet.open.size > 0) {
          open.push(tenant);
          sheets.set(tenant.schema, sheet);
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
    await fetchOpen(open, sheets, fleet);
    waiting = open;
  }
}

/** One fetch a distinct question, for all the tenants that ask it. */
async function fetchOpen(
  open: readonly TenantRead[],
  sheets: ReadonlyMap<string, FactSheet>,
  fleet: FleetContext,
): Promise<void> {
  const asking = new Map<string, { schemas: string[]; tenant: TenantRead }>();
  for (const tenant of open)
    for (const key of sheets.get(tenant.schema)?.open.keys() ?? []) {
      const entry = asking.get(key);
      if (entry === undefined) asking.set(key, { schemas: [tenant.schema], tenant });
      else entry.schemas.push(tenant.schema);
    }
  for (const [key, { schemas, tenant }] of asking) {
    const question = sheets.get(tenant.schema)?.open.get(key);
    if (question !== undefined)
      await fleet.answers.fetch([question], schemas, (name) => tenant.tables.get(name) ?? null);
  }
}

const factsOf = (schema: string, fleet: FleetContext): FactSheet =>
  new FactSheet((key, question) => fleet.answers.of(schema, key, question));

function contextOf(tenant: TenantRead, facts: FactSheet, fleet: FleetContext): DiffContext {
  return {
    facts,
    phases: fleet.desired.phases,
    tables: fleet.tables,
    parameters: fleet.desired.parameters,
    release: tenant.isNew ? null : fleet.desired.release,
    allow: fleet.allow,
    isDefaultOpclass: fleet.isDefaultOpclass,
    actualTables: shapesOf(tenant.tables),
    changesOwner: fleet.changesOwner(tenant.schema),
  };
}

/** By the tables of a group of tenants that look alike: they share one map. */
const knownShapes = new WeakMap<TenantRead['tables'], DiffContext['actualTables']>();

function shapesOf(tables: TenantRead['tables']): DiffContext['actualTables'] {
  const shapes = knownShapes.get(tables) ?? new Map([...tables].map(([name, table]) => [name, table.shape]));
  knownShapes.set(tables, shapes);
  return shapes;
}

/** Tenants of a snapshot, in order of name; `absent` ones as new. */
export function tenantsOf(snapshot: CatalogSnapshot): readonly TenantRead[] {
  const members = new Map<string, Map<string, DigestedFamily>>();
  for (const { table, family, kinds, schemas, digests } of snapshot.members)
    for (const [at, schema] of schemas.entries()) {
      const of = members.get(schema) ?? new Map<string, DigestedFamily>();
      members.set(schema, of.set(memberKey(table, family), { kinds, digest: digests[at] ?? '' }));
    }
  const byGroup = snapshot.groups.flatMap((group) =>
    group.schemas.map((schema) => ({
      schema,
      hash: group.hash,
      tables: group.tables,
      owned: snapshot.owned.get(schema) ?? [],
      members: members.get(schema) ?? NO_MEMBERS,
      isNew: false,
    })),
  );
  const absent = snapshot.absent.map((schema) => ({
    schema,
    hash: '',
    tables: new Map(),
    owned: [],
    members: NO_MEMBERS,
    isNew: true,
  }));
  return [...byGroup, ...absent].sort((left, right) => (left.schema < right.schema ? -1 : 1));
}

const NO_MEMBERS: ReadonlyMap<string, DigestedFamily> = new Map();
