import type { IndexFamily } from './model.js';

/**
 * A family as if it were one index, under the predicate of no member in particular: for what its keys and its predicate name.
 * `where` is null for a family of whole indexes.
 */
export const asOneIndex = (family: IndexFamily): Omit<IndexFamily, 'where'> & { readonly where: string | null } => ({
  ...family,
  where: family.where?.map((part) => (typeof part === 'string' ? part : "''")).join('') ?? null,
});
