import type { Change } from '../diff/change.js';
import type { PlannedTenant } from '../plan/fleet-plan.js';
import type { ApplyRequest } from './request.js';

/** Whether a run has to do with a change: now, or once another session's index build has ended. */
export const isWork = ({ status, waitsFor }: Change): boolean => status === 'pending' || waitsFor === 'build';

/**
 * The tenants that a run takes up. What only waits for another session's build is waited for too, except under a saved
 * plan: that approved nothing for it.
 */
export const hasWork = ({ changes }: PlannedTenant, { approved }: Pick<ApplyRequest, 'approved'>): boolean =>
  changes.some(({ change }) => (approved === null ? isWork(change) : change.status === 'pending'));
