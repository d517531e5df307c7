import type { UnreadableTenant } from './fleet-plan.js';

/** What an operator can do about a tenant that could not be read. */
export const unreadableRemedy = ({ code }: Pick<UnreadableTenant, 'code'>): string =>
  code === 'TENANT_LOCKED'
    ? 'wait for that transaction, or end it; then run again'
    : 'let the role read the tenant’s tables (row security included), then run again';
