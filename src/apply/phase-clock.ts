/** How far a build has come, as pg_stat_progress_create_index tells it. */
export interface Reading {
  readonly phase: string;
  /** Blocks, else tuples. Total 0 where the server does not know. */
  readonly done: number;
  readonly total: number;
}

/** Estimates, from one look to the next, how long the phase that a build is in will last. */
export class PhaseClock {
  readonly #phases = new Map<
    number,
    Reading & { readonly since: number; readonly last: Reading; readonly at: number }
  >();

  /** @param now milliseconds */
  note(pid: number, reading: Reading, now: number): void {
    const before = this.#phases.get(pid);
    // While a scan is at its first block the server tells all of them as done (heapam_scan_get_blocks_done).
    const same = before?.phase === reading.phase && reading.done >= before.last.done;
    this.#phases.set(pid, { ...(same ? before : { ...reading, since: now }), last: reading, at: now });
  }

  /**
   * Milliseconds for which the build is sure to go on scanning or writing, and to wait for nobody; 0 where that cannot be
   * told.
   */
  busyFor(pid: number): number {
    const phase = this.#phases.get(pid);
    if (phase === undefined || !phase.phase.startsWith('building index')) return 0;
    const made = phase.last.done - phase.done;
    if (made <= 0 || phase.last.total <= 0) return 0;
    return ((phase.at - phase.since) / made) * Math.max(0, phase.last.total - phase.last.done);
  }

  forget(pids: readonly number[]): void {
    for (const pid of this.#phases.keys()) if (!pids.includes(pid)) this.#phases.delete(pid);
  }
}
