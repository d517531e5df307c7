import { groupBy } from '../collections.js';
import type { DesiredTable, IndexFamily } from '../desired-state/model.js';
import type { IndexShape, TableShape } from '../shape/table-shape.js';
import { identifierVariable } from '../sql/template.js';
import { asSwitch, isOtherBackends } from './backend-switch.js';
import { refuseBuild } from './build-refusal.js';
import { type Assumption, change, type Hazard, key, type Member, type TenantChange } from './change.js';
import { type DiffContext, isTemporary, type OwnedIndex } from './context.js';
import { type ExpectedMember, predicateTemplate } from './family-members.js';
import { definitionDifference } from './index-difference.js';
import { buildSteps, drop, type IndexTarget, indexDefinition, rebuildSteps, rename, swapSteps } from './index-steps.js';

import { owningPhase } from './ownership.js';
import type { PredicateMatcher } from './predicate-matcher.js';
import { sparingIdentity } from './replica-identity.js';
import { indexedColumns, unexpectedIndex, usesReplaced } from './table-indexes.js';
import { temporaryName } from './temporary-name.js';

/** A family of one tenant, with the members that its rows ask for. */
export interface TenantFamily {
  readonly desired: DesiredTable;
  readonly family: IndexFamily;
  /** The table as it is; null when this run makes it. */
  readonly actual: TableShape | null;
  readonly expected: ReadonlyMap<string, ExpectedMember>;
  /** Indexes of the table that are read apart and that no declaration by name claims. */
  readonly candidates: readonly OwnedIndex[];
  readonly replaced: ReadonlySet<string>;
  /** Matches every name that the family can give. */
  readonly pattern: RegExp;
  /** The same of the table's families that are not diffed yet, or cannot be: what they may have named is no orphan so far. */
  readonly later: readonly RegExp[];
  /** The table's families that are diffed already. */
  readonly earlier: readonly { readonly family: IndexFamily; readonly pattern: RegExp }[];
  /** What those call their members in this tenant. */
  readonly taken: ReadonlySet<string>;
}

/** A member's name, and that of the index which becomes it. */
const INDEX = identifierVariable('index');
const FROM = identifierVariable('from');

type Fate = 'build' | 'rebuild' | 'swap' | 'rename' | 'drop' | 'orphan';

interface Finding {
  readonly fate: Fate;
  readonly reason: string;
  readonly dropFirst: boolean;
  readonly inUse: boolean;
  /** The index of another backend that is replaced or dropped. */
  readonly other: IndexShape | null;
  /** The index that is replaced or dropped, where the table is replicated by it. */
  readonly identity: IndexShape | null;
  readonly member: Member;
}

/** What the members of one family need, as one change a kind and reason, and the drops of those whose rows are gone. */
export function diffFamily(of: TenantFamily, matcher: PredicateMatcher, context: DiffContext): readonly TenantChange[] {
  const present = of.candidates.filter((owned) => !usesReplaced(owned.index, of.replaced, context));
  const spare = new Map(present.map((owned) => [owned.index.name, owned]));
  const findings: Finding[] = [];
  const missing: ExpectedMember[] = [];
  const replaced: { readonly found: Finding; readonly expected: ExpectedMember }[] = [];
  for (const member of of.expected.values()) {
    const candidate = spare.get(member.name);
    spare.delete(member.name);
    const worth = worthOf(of, member, candidate !== undefined, context);
    if (worth === 'drop')
      findings.push({
        ...finding('drop', 'too few rows to be worth its cost', member, context),
        identity: identityOf(candidate?.index),
      });
    else if (candidate === undefined) {
      if (worth === 'build') missing.push(member);
    } else {
      const found = judge(of, member, candidate, matcher, context);
      if (found?.fate === 'rebuild') replaced.push({ found, expected: member });
      else if (found !== null) findings.push(found);
    }
  }
  for (const { found, expected: member } of replaced)
    findings.push(adopted(of, found, member, spare, matcher, context) ?? found);
  for (const member of missing)
    findings.push(renamed(of, member, spare, matcher, context) ?? finding('build', 'missing', member, context));
  const changes = [
    ...groupBy(findings, (found) =>
      [
        found.fate,
        found.reason,
        found.dropFirst,
        found.inUse,
        found.other?.method.extension,
        found.identity !== null,
      ].join('|'),
    ).values(),
  ].map((group) => familyChange(of, group, context));
  return [...changes, ...orphansOf(of, [...spare.values()], context)];
}

function judge(
  of: TenantFamily,
  member: ExpectedMember,
  candidate: OwnedIndex,
  matcher: PredicateMatcher,
  context: DiffContext,
): Finding | null {
  const difference = differenceOf(of, member, candidate.index, matcher, context);
  const other = isOtherBackends(candidate.index, context) ? candidate.index : null;
  if (candidate.index.valid)
    return difference === null
      ? null
      : { ...finding('rebuild', difference, member, context), other, identity: identityOf(candidate.index) };
  const invalid =
    'is INVALID: the leftover of a build that failed or was interrupted; no query uses it, every write maintains it';
  return finding('rebuild', difference === null ? invalid : `is INVALID, and ${difference}`, member, context, true);
}

/** Whether an index is what a member is to be: nothing is to be done about it then. */
export function isMember(
  of: Pick<TenantFamily, 'family' | 'actual'>,
  member: ExpectedMember,
  { index }: OwnedIndex,
  matcher: PredicateMatcher,
  context: DiffContext,
): boolean {
  return index.valid && differenceOf(of, member, index, matcher, context) === null;
}

/** Reasons name no values: a member's predicate holds customers' names. */
function differenceOf(
  of: Pick<TenantFamily, 'family' | 'actual'>,
  member: ExpectedMember,
  index: IndexShape,
  matcher: PredicateMatcher,
  context: DiffContext,
): string | null {
  if (of.actual === null) return null;
  const definition = definitionDifference(of.family, index, of.actual, context);
  if (definition !== null) return definition;
  if (member.where === null) return index.where === null ? null : 'is partial, declared without a predicate';
  if (index.where === null) return 'has no predicate, declared partial';
  return matcher.same(member.where, index.where, of.actual, context.facts)
    ? null
    : 'its predicate is not this member’s';
}

/** The application finds its indexes by name: a right definition under another name needs the name and no build. */
function renamed(
  of: TenantFamily,
  member: ExpectedMember,
  spare: Map<string, OwnedIndex>,
  matcher: PredicateMatcher,
  context: DiffContext,
): Finding | null {
  const twin = [...spare.values()].find(
    ({ index }) =>
      index.valid &&
      (isTemporary(index.name) || owningPhase(index, context)?.name === of.family.phase) &&
      differenceOf(of, member, index, matcher, context) === null,
  );
  if (twin === undefined) return null;
  spare.delete(twin.index.name);
  const found = finding('rename', 'its definition stands under another name', member, context);
  return { ...found, member: { ...found.member, from: twin.index.name } };
}

/** The successor that an interrupted run built: swapped in, not built again. */
function adopted(
  of: TenantFamily,
  found: Finding,
  member: ExpectedMember,
  spare: Map<string, OwnedIndex>,
  matcher: PredicateMatcher,
  context: DiffContext,
): Finding | null {
  const twin = [...spare.values()].find(
    ({ index }) => index.valid && isTemporary(index.name) && differenceOf(of, member, index, matcher, context) === null,
  );
  if (twin === undefined) return null;
  spare.delete(twin.index.name);
  return { ...found, fate: 'swap', member: { ...found.member, from: twin.index.name } };
}

/**
 * What is left under a name of this family. Anything else may still be another family's, or be claimed by one; of a name that
 * several may give the last one tells, or it would be everybody's for good.
 */
function orphansOf(of: TenantFamily, spare: readonly OwnedIndex[], context: DiffContext): readonly TenantChange[] {
  const own = spare.filter(
    ({ index: { name } }) =>
      of.pattern.test(name) && !of.taken.has(name) && !of.later.some((pattern) => pattern.test(name)),
  );
  const orphans: Finding[] = [];
  for (const { index } of own) {
    const unexpected = unexpectedIndex(index, of, context);
    if (unexpected !== null)
      orphans.push({
        fate: 'orphan',
        reason: 'the rows that it was made for are gone',
        dropFirst: false,
        inUse: unexpected.hazards.includes('INDEX_IN_USE'),
        other: isOtherBackends(index, context) ? index : null,
        identity: identityOf(index),
        member: { index: index.name, temporary_old: temporaryName('old', index.name, index.where ?? '') },
      });
  }
  const groups = groupBy(
    orphans,
    ({ inUse, other, identity }) => `${inUse}|${other?.method.extension}|${identity !== null}`,
  );
  return [...groups.values()].map((group) => familyChange(of, group, context));
}

function familyChange(of: TenantFamily, group: readonly Finding[], context: DiffContext): TenantChange {
  const [first] = group;
  if (first === undefined) throw new Error('internal: an empty group of family members');
  const table = of.desired.name;
  const { family } = of;
  const builds = first.fate === 'build' || first.fate === 'rebuild';
  // A table that this run makes has no rows, and a drop or a rename is the same with and without: nothing is read then.
  const online = builds && of.actual !== null && context.facts.rows(table) !== 'none';
  const target: IndexTarget = {
    table,
    definition: indexDefinition(table, family, predicateTemplate(family)),
    name: INDEX,
    fixedName: null,
    temporaryNew: identifierVariable('temporary_new'),
    temporaryOld: identifierVariable('temporary_old'),
  };
  const hazards: Hazard[] = [];
  const drops = first.fate === 'drop' || first.fate === 'orphan';
  if (first.fate === 'rebuild' || first.fate === 'swap' || drops) hazards.push('INDEX_DROPPED');
  if (first.inUse) hazards.push('INDEX_IN_USE');
  if (builds && online) hazards.push('INDEX_BUILD');
  const steps = {
    build: () => buildSteps(target, online),
    rebuild: () => rebuildSteps(target, { online, dropFirst: first.dropFirst }),
    swap: () => swapSteps(target, FROM),
    rename: () => [rename(target, FROM, target.name)],
    // Out of the way first, in the transaction that looks for its rows: a row that comes after that finds its name
    // free for its own, where a drop that is under way would take the index from under it.
    drop: () => [rename(target, target.name, target.temporaryOld), drop(target, target.temporaryOld)],
    orphan: () => [rename(target, target.name, target.temporaryOld), drop(target, target.temporaryOld)],
  }[first.fate]();
  const made = change({
    phase: family.phase,
    action: ACTION[first.fate],
    table,
    object: family.label,
    family: family.label,
    reason: first.reason,
    hazards,
    takes: first.fate === 'build' || first.fate === 'rename' ? [{ name: INDEX, of: 'index' }] : [],
    frees: drops ? [INDEX] : first.fate === 'rename' ? [FROM] : [],
    assumptions: assumptionsOf(group, builds && !online && of.actual !== null, of),
    provides: drops ? [] : [key.built(family.phase, table)],
    needs: drops
      ? [key.built(family.phase, table)]
      : [
          key.table(table),
          key.cleared(table),
          ...indexedColumns({ ...family, where: anyPredicate(family) }, context).map((column) =>
            key.column(table, column),
          ),
        ],
    steps,
  });
  const switched = asSwitch(made, first.other, context);
  const settled = builds && switched.status !== 'blocked' ? refuseBuild(switched, of.family, of, context) : switched;
  const spared = first.identity === null ? settled : sparingIdentity(settled, first.identity);
  return { change: spared, members: group.map((found) => found.member) };
}

function assumptionsOf(group: readonly Finding[], inTransaction: boolean, of: TenantFamily): readonly Assumption[] {
  const fate = group[0]?.fate;
  if (inTransaction) return [{ kind: 'no-rows', table: of.desired.name }];
  if (fate === 'drop')
    return [
      {
        kind: 'few-rows',
        table: of.desired.name,
        where: predicateTemplate(of.family),
        below: of.family.worthRows?.keep ?? 0,
      },
    ];
  if (fate !== 'orphan') return [];
  const names = group.flatMap(({ member }) => member.index ?? []);
  // By then a row of another family may give the name.
  const others = of.earlier.filter(({ pattern }) => names.some((name) => pattern.test(name)));
  return [...others, of].flatMap(({ family }) =>
    family.rows === null ? [] : [{ kind: 'no-member', table: family.rows.table, family }],
  );
}

const identityOf = (index: IndexShape | undefined): IndexShape | null =>
  index?.replicaIdentity === true ? index : null;

/** The predicate of no member in particular: for the columns that it names. */
const anyPredicate = (family: IndexFamily): string | null =>
  family.where?.map((part) => (typeof part === 'string' ? part : "''")).join('') ?? null;

const ACTION = {
  build: 'create-index',
  rebuild: 'rebuild-index',
  swap: 'rebuild-index',
  rename: 'rename-index',
  drop: 'drop-index',
  orphan: 'drop-index',
} as const;

/** The cost policy: below `build` rows none is made, between `keep` and `build` what is there stays, below it goes. */
function worthOf(
  of: TenantFamily,
  member: ExpectedMember,
  present: boolean,
  context: DiffContext,
): 'build' | 'leave' | 'drop' {
  if (of.family.worthRows === null || of.family.worthRows.build === 0) return 'build';
  const { build, keep } = of.family.worthRows;
  const found = of.actual === null ? 0 : context.facts.count(of.desired.name, member.where, build);
  if (found === null || found >= build) return 'build';
  if (!present) return 'leave';
  return found < keep ? 'drop' : 'build';
}

function finding(fate: Fate, reason: string, member: ExpectedMember, context: DiffContext, dropFirst = false): Finding {
  const usage = fate === 'drop' ? context.facts.usage(member.name) : null;
  return {
    fate,
    reason,
    dropFirst,
    inUse: usage !== null && usage.scans > 0,
    other: null,
    identity: null,
    member: {
      ...member.values,
      index: member.name,
      temporary_new: temporaryName('new', member.name, member.where ?? ''),
      temporary_old: temporaryName('old', member.name, member.where ?? ''),
    },
  };
}
