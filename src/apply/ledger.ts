import { isPending, type TenantChange } from '../diff/change.js';
import type { PlannedTenant, UnreadableTenant } from '../plan/fleet-plan.js';
import { unreadableRemedy } from '../plan/unreadable.js';
import type { ChangeOutcome, Outcome, TenantFailure, TenantOutcome } from './outcome.js';
import type { TenantRun } from './turn.js';

/** What the last introspection of a tenant gave: how it is now, that it is gone, or that it could not be read. */
export type Standing =
  | { readonly kind: 'read'; readonly tenant: PlannedTenant }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unreadable'; readonly tenant: UnreadableTenant };

/** Why a tenant is left as it is: with an error of its own, for others' sake, or because its approval no longer fits. */
export type Left =
  | { readonly kind: 'failed'; readonly failure: TenantFailure }
  | { readonly kind: 'not-attempted'; readonly failure: TenantFailure | null }
  | { readonly kind: 'stale'; readonly failure: TenantFailure };

interface Entry {
  readonly changes: readonly ChangeOutcome[];
  readonly standing: Standing | null;
  readonly left: Left | null;
}

const NOTHING: Entry = { changes: [], standing: null, left: null };

/** What is known of each tenant of a run, turn by turn, and what it comes to in the end. */
export class Ledger {
  readonly #entries = new Map<string, Entry>();
  readonly #started = new Set<string>();
  readonly #begun = new Set<string>();

  /** The tenant's turn has come; true for its first. */
  start(schema: string): boolean {
    const first = !this.#started.has(schema);
    this.#started.add(schema);
    return first;
  }

  /** The tenant as this run's last introspection gave it; null before the first. */
  lastSeen(schema: string): PlannedTenant | null {
    const { standing } = this.#of(schema);
    return standing?.kind === 'read' ? standing.tenant : null;
  }

  /** Whether anything of a tenant's was changed in this run, or may have been. */
  begun(schema: string): boolean {
    return this.#begun.has(schema);
  }

  /** Whether the tenant was left because its approval no longer fits. */
  isStale(schema: string): boolean {
    return this.#of(schema).left?.kind === 'stale';
  }

  /** A turn's changes. Of earlier turns only what was done stays: what was not is done in this one, or listed by it. */
  record(schema: string, { changes, begun }: Pick<TenantRun, 'changes' | 'begun'>): void {
    if (begun) this.#begun.add(schema);
    const entry = this.#of(schema);
    const before = entry.changes.filter((change) => change.result === 'applied');
    this.#entries.set(schema, { ...entry, changes: [...before, ...changes] });
  }

  /** How the tenant stands by the last introspection. What is no longer pending was done, whatever became of the answer. */
  stands(schema: string, standing: Standing): void {
    const entry = this.#of(schema);
    if (standing.kind !== 'read') {
      this.#entries.set(schema, { ...entry, standing });
      return;
    }
    const pending = standing.tenant.changes.filter(isPending);
    const open = new Set(pending.map(subjectOf));
    const changes = entry.changes.flatMap((made) => (open.size === 0 ? asDone(made) : settled(made, open)));
    this.#entries.set(schema, { ...entry, standing, changes });
  }

  /** The tenant is left as it is. */
  leave(schema: string, left: Left): void {
    this.#entries.set(schema, { ...this.#of(schema), left });
  }

  /** Whether a tenant has failed, or was left for others' sake. */
  isTroubled(schema: string): boolean {
    const { left, standing } = this.#of(schema);
    return standing?.kind === 'unreadable' || left?.kind === 'failed' || left?.kind === 'not-attempted';
  }

  /** Whether something is left to do for a tenant, and nothing says why. */
  isOpen(planned: PlannedTenant): boolean {
    return this.#of(planned.schema).left === null && this.outcome(planned).outcome === 'not-attempted';
  }

  /** A planned tenant's end, by all that is known. */
  outcome(planned: PlannedTenant): TenantOutcome {
    const { database, schema } = planned;
    const entry = this.#of(schema);
    const now = entry.standing?.kind === 'read' ? entry.standing.tenant : planned;
    const refused = now.changes
      .filter(({ change }) => change.status !== 'pending')
      .map((item) => ({ item, result: 'not-applied' as const }));
    const outcome = outcomeOf(entry, now);
    const told = outcome === 'failed' || outcome === 'stale' || outcome === 'not-attempted';
    const error =
      entry.standing?.kind === 'unreadable' ? unreadableFailure(entry.standing.tenant) : (entry.left?.failure ?? null);
    return { database, schema, outcome, changes: [...entry.changes, ...refused], error: told ? error : null };
  }

  #of(schema: string): Entry {
    return this.#entries.get(schema) ?? NOTHING;
  }
}

const asDone = ({ item, result }: ChangeOutcome): readonly ChangeOutcome[] =>
  result === 'not-applied' ? [] : [{ item, result: 'applied' }];

/**
 * What was in doubt was done when nothing is asked for where it was made; else a turn does it. Not by what is asked for: a lost
 * build leaves an INVALID index, which is to be rebuilt, and no longer to be made.
 */
const settled = (made: ChangeOutcome, open: ReadonlySet<string>): ChangeOutcome =>
  made.result === 'in-doubt' && !open.has(subjectOf(made.item)) ? { item: made.item, result: 'applied' } : made;

const subjectOf = ({ change: { table, object } }: TenantChange): string => JSON.stringify([table, object]);

function outcomeOf({ standing, left, changes }: Entry, now: PlannedTenant): Outcome {
  if (standing?.kind === 'gone') return 'vanished';
  if (left?.kind === 'failed') return 'failed';
  if (standing?.kind === 'unreadable') return unreadableEnd(standing.tenant);
  if (left !== null) return left.kind;
  const applied = changes.some((change) => change.result === 'applied');
  const having = (status: string) => now.changes.some(({ change }) => change.status === status);
  if (having('pending')) return 'not-attempted';
  if (having('blocked')) return applied ? 'partial' : 'blocked';
  if (applied) return 'converged';
  return having('deferred') ? 'deferred' : 'in-sync';
}

/** The end of a tenant that could not even be planned. */
export const unreadableOutcome = (tenant: UnreadableTenant): TenantOutcome => ({
  database: tenant.database,
  schema: tenant.schema,
  outcome: unreadableEnd(tenant),
  changes: [],
  error: unreadableFailure(tenant),
});

/** What others lock is for another run, and no failure. */
const unreadableEnd = ({ code }: UnreadableTenant): Outcome => (code === 'TENANT_LOCKED' ? 'not-attempted' : 'failed');

/** That a tenant could not be read, as its outcome says it. */
export const unreadableFailure = ({ code, message }: UnreadableTenant): TenantFailure => ({
  code,
  message,
  sqlstate: null,
  remedy: unreadableRemedy({ code, message }),
});
