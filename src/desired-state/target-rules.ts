import { shown } from '../did-you-mean.js';
import type { FleetDocument } from './documents.js';
import type { TargetRule } from './model.js';
import type { Problems } from './problems.js';
import { type Place, valueAt, within } from './yaml-file.js';

/** The databases that fleet.yaml lists, each by a name of its own. */
export function targetRules({ targets = [] }: FleetDocument, root: Place, problems: Problems): readonly TargetRule[] {
  const seen = new Set<string>();
  for (const [index, { id, url_env: single, env }] of targets.entries()) {
    if ((single === undefined) === (env === undefined)) {
      const message = `the target ${shown(id)} ${single === undefined ? 'names no variable' : 'has both url_env and env'}`;
      problems.invalid(message, valueAt(within(root, 'targets', index)), 'give one of url_env and env');
    }
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
