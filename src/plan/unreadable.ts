import type { UnreadableTenant } from './fleet-plan.js';

/** What an operator can do about a tenant that could not be read. */
export function unreadableRemedy({ code, message }: Pick<UnreadableTenant, 'code' | 'message'>): string {
  if (code === 'TENANT_LOCKED') return 'wait for that transaction, or end it; then run again';
  // Neither is for want of a right: whoever grants one sees the same again.
  if (/: column .* does not exist$/u.test(message))
    return 'see what the table lacks, by a run with the base phase, and mend that first; then run again';
  if (message.startsWith('index family '))
    return 'change the rows that it is generated from, or how it is named; then run again';
  return 'let the role read the tenant’s tables (row security included), then run again';
}
