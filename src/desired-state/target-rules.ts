import { shown } from './did-you-mean.js';
import type { FleetDocument } from './documents.js';
import type { TargetRule } from './model.js';
import type { Problems } from './problems.js';
import { type Place, valueAt, within } from './yaml-file.js';

/** The databases that fleet.yaml lists, each by a name of its own. */
export function targetRules({ targets = [] }: FleetDocument, root: Place, problems: Problems): readonly TargetRule[] {
  const seen = new Set<string>();
  for (const [index, { id }] of targets.entries()) {
    if (seen.has(id)) {
      const at = valueAt(within(root, 'targets', index, 'id'));
      problems.invalid(`two targets have the id ${shown(id)}`, at, 'give each database an id of its own');
    }
    seen.add(id);
  }
  return targets.map(({ id, url_env: single, env = [] }) => ({
    id,
    variables: single === undefined ? env : [single],
  }));
}
