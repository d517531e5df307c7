/** Short DDL first and in large batches; builds, backfills and validations of populated tables after it, in small ones. */
export type Lane = 'short' | 'long';

/** A tenant that is waiting for its turn. */
export interface Task {
  readonly schema: string;
  readonly lane: Lane;
  /** Turns that ended in a passing error. */
  readonly failures: number;
  /** The last error that told of something which others have made, renamed or dropped, as it seemed. */
  readonly overtakenBy: string | null;
  /** Turns that it had at all: what never settles must end. */
  readonly turns: number;
  /** Since when something of others is in the way; milliseconds since the epoch, null: nothing is. */
  readonly waitingSince: number | null;
  /** Not before; milliseconds since the epoch. */
  readonly due: number;
}

/** What to do next. */
export type Turn =
  | { readonly kind: 'batch'; readonly lane: Lane; readonly tasks: readonly Task[] }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'done' };

/** Tenants of a batch of long work, at most: locks are held for as long as the slowest build takes. */
const LONG_BATCH = 10;

/** Who comes next. Pure: time comes in as a number. */
export class Schedule {
  readonly #tasks: Map<string, Task>;
  readonly #taken = new Set<string>();
  readonly #sizes: Readonly<Record<Lane, number>>;

  /** @param batch tenants of one batch, at most */
  constructor(schemas: readonly string[], batch: number) {
    this.#sizes = { short: batch, long: Math.min(LONG_BATCH, batch) };
    this.#tasks = new Map(
      schemas.map((schema) => [
        schema,
        { schema, lane: 'short', failures: 0, overtakenBy: null, turns: 0, waitingSince: null, due: 0 } as const,
      ]),
    );
  }

  /** Whether a tenant has not ended. */
  has(schema: string): boolean {
    return this.#tasks.has(schema);
  }

  /** The next batch that is due, of what nobody has taken: short work before long, first come first served. */
  next(now: number): Turn {
    if (this.#tasks.size === 0) return { kind: 'done' };
    let due = Number.POSITIVE_INFINITY;
    const ready: Record<Lane, Task[]> = { short: [], long: [] };
    for (const task of this.#tasks.values()) {
      if (this.#taken.has(task.schema)) continue;
      if (task.due > now) due = Math.min(due, task.due);
      else if (ready[task.lane].push(task) === this.#sizes.short && task.lane === 'short') break;
    }
    for (const lane of ['short', 'long'] as const)
      if (ready[lane].length > 0) return { kind: 'batch', lane, tasks: ready[lane].slice(0, this.#sizes[lane]) };
    return { kind: 'wait', ms: Math.max(1, due - now) };
  }

  /** Keeps tenants from any other batch until each has ended, or comes again. */
  take(tasks: readonly Task[]): void {
    for (const { schema } of tasks) this.#taken.add(schema);
  }

  /** The tenant has ended, well or badly. */
  end(schema: string): void {
    this.#taken.delete(schema);
    this.#tasks.delete(schema);
  }

  /** The tenant comes again, after all that are waiting now. */
  again(task: Task): void {
    this.#taken.delete(task.schema);
    if (this.#tasks.delete(task.schema)) this.#tasks.set(task.schema, { ...task, turns: task.turns + 1 });
  }
}

/** Exponential, capped at 5 s, with jitter so that two runs do not meet again; milliseconds. */
export function backoff(failures: number, random: () => number = Math.random): number {
  return Math.round(Math.min(5000, 100 * 2 ** failures) * (0.5 + random()));
}
