import type { IndexFamily } from './model.js';

/** The predicate of no member in particular: for what its expressions name. Null for a family of whole indexes. */
export const anyPredicate = ({ where }: Pick<IndexFamily, 'where'>): string | null =>
  where?.map((part) => (typeof part === 'string' ? part : "''")).join('') ?? null;
