import { TEMPORARY_PREFIX } from '../sql/temporary-name.js';

/** Under what `owned` has an index of `ix`. */
export const keyOf = (of: string, isHashed: boolean): string => (isHashed ? `${of}.alike # ${of}.d` : `${of}.alike`);

/** The indexes of `from`, as `c`, with whoever owns each as `owned`. */
export const withOwner = (isHashed: boolean, from = 'ix'): string =>
  `${from} c left join owned on c.ruled and owned.k = ${keyOf('c', isHashed)} and (owned.selected or not ${IN_THE_WAY})`;

/**
 * The indexes that stand apart, as `own` has them.
 * @param from `ix`, or a part of it
 */
export const standingApart = (isHashed: boolean, from = 'ix'): string => `
  select c.*, ${keyOf('c', isHashed)} k, owned.phase from ${withOwner(isHashed, from)} where owned.phase is not null or c.fams <> '{}'`;

/**
 * Whether index `c` is in the way of what this run declares, or of what it does to the table. A phase that the run leaves
 * out owns no such index: it is read like any that nobody owns, or the plan would not know of it.
 */
const IN_THE_WAY = `(c.fams <> '{}' or not c.usable or c.relname::text ^@ '${TEMPORARY_PREFIX}' or c.relname::text in (select "name" from declared))`;
