import { counted, number } from '../counted.js';
import type { DesiredIndexBase, DesiredTable } from '../desired-state/model.js';
import type { TableShape } from '../shape/table-shape.js';
import { blocked, type Change, deferred } from './change.js';
import type { DiffContext } from './context.js';
import { exceededLimit } from './limits.js';

/** The table that an index is to be built on; `actual` null while this run still makes it. */
export interface BuildSite {
  readonly desired: DesiredTable;
  readonly actual: TableShape | null;
  readonly replaced: ReadonlySet<string>;
}

/** What stands in the way of building an index at all, whatever is there now: a limit of its backend, too few rows. */
export function refuseBuild(made: Change, index: DesiredIndexBase, site: BuildSite, context: DiffContext): Change {
  if (site.actual !== null) {
    const limit = exceededLimit(index, site.desired, site.actual, site.replaced, context);
    if (limit !== null) return blocked(made, limit.obstacle, limit.remedy);
  }
  if (index.requiresRows === null) return made;
  const { count, where } = index.requiresRows;
  const found = site.actual === null ? 0 : context.facts.count(site.desired.name, where, count);
  if (found === null || found >= count) return made;
  return deferred(
    made,
    `needs ${counted(count, 'row')} to be built, has ${number(found)}`,
    'none needed: it is built when the rows are there',
  );
}
