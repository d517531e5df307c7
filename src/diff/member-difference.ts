import type { IndexShape } from '../shape/table-shape.js';
import type { DiffContext, OwnedIndex } from './context.js';
import type { ExpectedMember } from './family-members.js';
import { definitionDifference } from './index-difference.js';
import { settingsFor } from './index-options.js';
import type { PredicateMatcher } from './predicate-matcher.js';
import type { TenantFamily } from './tenant-family.js';

/** Whether an index is what a member is to be: nothing is to be done about it then. */
export function isMember(
  of: Pick<TenantFamily, 'family' | 'actual'>,
  member: ExpectedMember,
  { index }: OwnedIndex,
  matcher: PredicateMatcher,
  context: DiffContext,
): boolean {
  return (
    index.valid &&
    settingsFor(of.family, index).length === 0 &&
    differenceOf(of, member, index, matcher, context) === null
  );
}

/** How an index differs so that a build is needed, in words, or null. Reasons name no values: a member's predicate holds customers' names. */
export function differenceOf(
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
