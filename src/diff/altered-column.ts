import type { DesiredColumn } from '../desired-state/model.js';
import { type Change, change, key } from './change.js';

/** A change of a column whose content does not matter to it. */
export const alteredColumn = (
  table: string,
  { phase, name }: Pick<DesiredColumn, 'phase' | 'name'>,
  fields: Pick<Change, 'reason' | 'steps'> & Partial<Change>,
): Change => change({ phase, action: 'alter-column', table, object: name, needs: [key.table(table)], ...fields });
