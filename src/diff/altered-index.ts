import type { ObjectName } from '../sql/template.js';
import { type Change, change } from './change.js';
import { type Setting, withSettings } from './index-options.js';
import { setting } from './index-steps.js';

/** An index that is in order but for options that it takes on as it stands. It serves meanwhile: nothing waits for this. */
export const alteredIndex = (
  base: Pick<Change, 'phase' | 'table' | 'object'> & Partial<Pick<Change, 'family'>>,
  index: ObjectName,
  settings: readonly Setting[],
): Change =>
  change({
    ...base,
    action: 'alter-index',
    reason: withSettings(null, settings),
    steps: setting(base.table, index, settings),
  });
