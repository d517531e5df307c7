import { groupBy } from '../collections.js';
import type { Change } from '../diff/change.js';

/** A change of a class and its place there. */
export interface PlacedChange {
  readonly change: Change;
  readonly at: number;
}

/** As many that read alike are shown one by one: with more, nobody sees the others for them. */
const MANY = 20;

/**
 * Changes in their order, in groups that one line can stand for: of many that differ in no more than the name of their
 * object, such as thousands of stray indexes of a table, all stand where the first one does.
 */
export function alikeChanges(changes: readonly PlacedChange[]): readonly (readonly PlacedChange[])[] {
  return [...groupBy(changes, ({ change }) => looksOf(change)).values()]
    .flatMap((group) => (group.length > MANY ? [group] : group.map((one) => [one])))
    .toSorted(([a], [b]) => (a?.at ?? 0) - (b?.at ?? 0));
}

const looksOf = ({ phase, action, table, family, reason, hazards, status, obstacle, remedy }: Change): string =>
  JSON.stringify([phase, action, table, family, reason, hazards, status, obstacle, remedy]);
