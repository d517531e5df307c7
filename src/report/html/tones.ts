import type { Outcome } from '../../apply/outcome.js';

/** How a cell is drawn: told apart without colour too. */
export type Mark = 'full' | 'ring' | 'split' | 'hollow' | 'bar' | 'dot';

/** The colour and the form of a group of tenants; `tone` names a class of assets/page.css. */
export interface Look {
  readonly tone: string;
  readonly mark: Mark;
}

/** Colours that classes are told apart by; those that come later share one. */
const CLASS_TONES = 8;

/** The look of a drift class. @param at its place among those with pending changes, from 0 */
export function classLook(has: { readonly pending: boolean; readonly blocked: boolean }, at: number): Look {
  if (has.pending)
    return { tone: at < CLASS_TONES ? `class-${at + 1}` : 'class-more', mark: has.blocked ? 'ring' : 'full' };
  return has.blocked ? { tone: 'blocked', mark: 'ring' } : { tone: 'deferred', mark: 'bar' };
}

/** Tenants that need nothing. */
export const IN_SYNC: Look = { tone: 'in-sync', mark: 'dot' };
/** Tenants that could not be planned. */
export const UNREADABLE: Look = { tone: 'failed', mark: 'hollow' };
/** Changes that are pending, whatever class they are of. */
export const PENDING: Look = { tone: 'class-1', mark: 'full' };

/** What became of a tenant, as far as the page can know. `unknown`: begun, and the run broke off. */
export type End = Outcome | 'unknown';

/** Each end's look, the worst first: in this order they stand in the picture. */
export const END_LOOKS: Readonly<Record<End, Look>> = {
  failed: { tone: 'failed', mark: 'split' },
  unknown: { tone: 'unknown', mark: 'split' },
  stale: { tone: 'stale', mark: 'hollow' },
  'not-attempted': { tone: 'left', mark: 'hollow' },
  vanished: { tone: 'vanished', mark: 'hollow' },
  blocked: { tone: 'blocked', mark: 'ring' },
  partial: { tone: 'partial', mark: 'ring' },
  deferred: { tone: 'deferred', mark: 'bar' },
  converged: { tone: 'converged', mark: 'full' },
  'in-sync': IN_SYNC,
};

/** Each end in words that follow a number of tenants. */
export const END_WORDS: Readonly<Record<End, string>> = {
  failed: 'failed',
  unknown: 'begun, end unknown',
  stale: 'changed since the plan, left alone',
  'not-attempted': 'not attempted',
  vanished: 'vanished during the run',
  blocked: 'blocked, nothing changed',
  partial: 'changed in part, the rest blocked',
  deferred: 'in sync, with changes deferred',
  converged: 'converged',
  'in-sync': 'in sync',
};
