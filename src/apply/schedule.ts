/** Short DDL first and in large batches; builds, backfills and validations of populated tables after it, in small ones. */
export type Lane = 'short' | 'long';

/** A tenant that is waiting for its turn. */
export interface Task {
  readonly schema: string;
  readonly lane: Lane;
  /** Turns that ended in a passing error. */
  readonly failures: number;
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

/** How many tenants one introspection, one set of locks and one verification serve. */
const BATCH: Readonly<Record<Lane, number>> = {
  short: 100,
  // Locks are held for as long as the slowest build of a batch takes.
  long: 10,
};

/**
 * Who comes next. Pure: time comes in as a number. Tenants of an earlier stage (the canaries) are done with before one of a
 * later stage is offered.
 */
export class Schedule {
  readonly #stages: Map<string, Task>[];

  constructor(stages: readonly (readonly string[])[]) {
    this.#stages = stages.map(
      (schemas) =>
        new Map(
          schemas.map((schema) => [
            schema,
            { schema, lane: 'short', failures: 0, turns: 0, waitingSince: null, due: 0 } as const,
          ]),
        ),
    );
  }

  /** Tenants that have not ended. */
  get left(): readonly string[] {
    return this.#stages.flatMap((stage) => [...stage.keys()]);
  }

  /** The stage that is under way; the number of stages when all are done. */
  get stage(): number {
    const at = this.#stages.findIndex((stage) => stage.size > 0);
    return at < 0 ? this.#stages.length : at;
  }

  /** The next batch that is due: short work before long, first come first served. */
  next(now: number): Turn {
    const tasks = [...(this.#stages[this.stage]?.values() ?? [])];
    if (tasks.length === 0) return { kind: 'done' };
    for (const lane of ['short', 'long'] as const) {
      const ready = tasks.filter((task) => task.lane === lane && task.due <= now);
      if (ready.length > 0) return { kind: 'batch', lane, tasks: ready.slice(0, BATCH[lane]) };
    }
    return { kind: 'wait', ms: Math.max(1, Math.min(...tasks.map((task) => task.due)) - now) };
  }

  /** The tenant has ended, well or badly. */
  end(schema: string): void {
    for (const stage of this.#stages) stage.delete(schema);
  }

  /** The tenant comes again, after all that are waiting now. */
  again(task: Task): void {
    for (const stage of this.#stages)
      if (stage.delete(task.schema)) {
        stage.set(task.schema, { ...task, turns: task.turns + 1 });
        return;
      }
  }
}

/** Exponential, capped at 5 s, with jitter so that two runs do not meet again; milliseconds. */
export function backoff(failures: number, random: () => number = Math.random): number {
  return Math.round(Math.min(5000, 100 * 2 ** failures) * (0.5 + random()));
}
