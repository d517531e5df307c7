import { groupBy } from '../collections.js';
import type { IndexShape } from '../shape/table-shape.js';
import { isTemporary, temporaryName } from '../sql/temporary-name.js';
import { isOtherBackends } from './backend-switch.js';
import type { Member, TenantChange } from './change.js';
import type { DiffContext } from './context.js';
import { type Fate, type Finding, familyChange } from './family-change.js';
import type { ExpectedMember } from './family-members.js';
import { INVALID } from './index-difference.js';
import { settingsFor, withSettings } from './index-options.js';
import { usesReplaced } from './indexed-columns.js';
import { differenceOf } from './member-difference.js';
import { owningPhase } from './ownership.js';
import type { PredicateMatcher } from './predicate-matcher.js';
import type { TenantFamily } from './tenant-family.js';
import { unexpectedIndex } from './unexpected-index.js';
import { worthOf } from './worth-rows.js';

/** What the members of one family need, as one change a kind and reason, and the drops of those whose rows are gone. */
export function diffFamily(of: TenantFamily, matcher: PredicateMatcher, context: DiffContext): readonly TenantChange[] {
  const present = of.candidates.filter((owned) => !usesReplaced(owned.index, of.replaced, context));
  const spare = new Map(present.map(({ index }) => [index.name, index]));
  const judging: Judging = { of, spare, matcher, context };
  const findings: Finding[] = [];
  const missing: ExpectedMember[] = [];
  const replaced: { readonly found: Finding; readonly expected: ExpectedMember }[] = [];
  for (const member of of.expected.values()) {
    const candidate = spare.get(member.name);
    spare.delete(member.name);
    const worth = worthOf(of.family.worthRows, candidate !== undefined, (limit) =>
      of.actual === null ? 0 : context.facts.count(of.desired.name, member.where, limit),
    );
    if (worth === 'drop')
      findings.push(
        finding('drop', 'too few rows to be worth its cost', valuesOf(member), {
          ...lost(candidate, context),
          inUse: (context.facts.usage(member.name)?.scans ?? 0) > 0,
        }),
      );
    else if (candidate === undefined) {
      if (worth === 'build') missing.push(member);
    } else {
      const found = judge(judging, member, candidate);
      if (found?.fate === 'rebuild') replaced.push({ found, expected: member });
      else if (found !== null) findings.push(found);
    }
  }
  for (const { found, expected: member } of replaced) findings.push(adopted(judging, member, found) ?? found);
  for (const member of missing)
    findings.push(renamed(judging, member) ?? finding('build', 'missing', valuesOf(member)));
  return grouped([...findings, ...orphansOf(of, [...spare.values()], context)], of, context);
}

/**
 * One change for all that is alike but for the member, and for whether that has served queries: it may at any moment, and a
 * saved plan would take that for another tenant.
 */
const grouped = (findings: readonly Finding[], of: TenantFamily, context: DiffContext): readonly TenantChange[] =>
  [
    ...groupBy(findings, ({ fate, reason, dropFirst, settings, other, identity }) =>
      // PostgreSQL's own methods are of no extension: null, which is another backend all the same.
      JSON.stringify([
        fate,
        reason,
        dropFirst,
        settings,
        other === null ? [] : [other.method.extension],
        identity !== null,
      ]),
    ).values(),
  ].map((group) => familyChange(of, group, context));

/** What the members of a family are judged by. */
interface Judging {
  readonly of: TenantFamily;
  /** Indexes that no member has claimed so far. */
  readonly spare: Map<string, IndexShape>;
  readonly matcher: PredicateMatcher;
  readonly context: DiffContext;
}

function judge({ of, matcher, context }: Judging, member: ExpectedMember, index: IndexShape): Finding | null {
  const difference = differenceOf(of, member, index, matcher, context);
  if (!index.valid)
    return finding('rebuild', difference === null ? INVALID : `is INVALID, and ${difference}`, valuesOf(member), {
      dropFirst: true,
    });
  if (difference !== null) return finding('rebuild', difference, valuesOf(member), lost(index, context));
  const settings = settingsFor(of.family, index);
  return settings.length === 0 ? null : finding('alter', withSettings(null, settings), valuesOf(member), { settings });
}

/**
 * The application finds its indexes by name: a right definition under another name needs the name and no build. Not under
 * one that another family gives: that family builds its own member in its place.
 */
function renamed(judging: Judging, member: ExpectedMember): Finding | null {
  const { of, context } = judging;
  const mayBe = (index: IndexShape) =>
    !of.taken.has(index.name) && (isTemporary(index.name) || owningPhase(index, context)?.name === of.family.phase);
  const twin = claimedTwin(judging, member, mayBe);
  if (twin === null) return null;
  const settings = settingsFor(of.family, twin);
  const reason = withSettings('its definition stands under another name', settings);
  return finding('rename', reason, { ...valuesOf(member), from: twin.name }, { settings });
}

/** The successor that an interrupted run built: swapped in, not built again. */
function adopted(judging: Judging, member: ExpectedMember, found: Finding): Finding | null {
  const twin = claimedTwin(judging, member, ({ name }) => isTemporary(name));
  if (twin === null) return null;
  const settings = settingsFor(judging.of.family, twin);
  return { ...found, fate: 'swap', settings, member: { ...found.member, from: twin.name } };
}

/** A valid index of a member's definition under another name: it serves that member alone from now on. */
function claimedTwin(
  { of, spare, matcher, context }: Judging,
  member: ExpectedMember,
  mayBe: (index: IndexShape) => boolean,
): IndexShape | null {
  const twin = [...spare.values()].find(
    (index) => index.valid && mayBe(index) && differenceOf(of, member, index, matcher, context) === null,
  );
  if (twin !== undefined) spare.delete(twin.name);
  return twin ?? null;
}

/**
 * Drops of what no row asks for, under names that this family can give. A name that later families can give too is left to
 * the last of them: it may be their member. Leftovers of interrupted runs are not dropped here: they go before the builds.
 */
function orphansOf(of: TenantFamily, spare: readonly IndexShape[], context: DiffContext): readonly Finding[] {
  const own = spare.filter(
    ({ name }) =>
      !isTemporary(name) &&
      of.pattern.test(name) &&
      !of.taken.has(name) &&
      !of.later.some((pattern) => pattern.test(name)),
  );
  const orphans: Finding[] = [];
  for (const index of own) {
    const unexpected = unexpectedIndex(index, of.desired, context);
    const was = lost(index, context);
    if (unexpected !== null)
      orphans.push(
        finding(
          'orphan',
          // Another backend's may never have been for rows: `items_${shop}` can give items_all, too.
          was.other === null
            ? 'the rows that it was made for are gone'
            : 'of another backend, for no row that is there',
          { index: index.name, temporary_old: temporaryName('old', index.name, index.where ?? '') },
          { ...was, inUse: unexpected.hazards.includes('INDEX_IN_USE') },
        ),
      );
  }
  return orphans;
}

/** What goes with an index that is replaced or dropped. */
const lost = (index: IndexShape | undefined, context: DiffContext): Pick<Finding, 'other' | 'identity'> => ({
  other: index !== undefined && isOtherBackends(index, context) ? index : null,
  identity: index?.replicaIdentity === true ? index : null,
});

/** What a member's statements are filled in with. */
const valuesOf = ({ name, where, values }: ExpectedMember): Member => ({
  ...values,
  index: name,
  temporary_new: temporaryName('new', name, where ?? ''),
  temporary_old: temporaryName('old', name, where ?? ''),
});

const finding = (fate: Fate, reason: string, member: Member, more: Partial<Finding> = {}): Finding => ({
  fate,
  reason,
  dropFirst: false,
  settings: [],
  inUse: false,
  other: null,
  identity: null,
  member,
  ...more,
});
