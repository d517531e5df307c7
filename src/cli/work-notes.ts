import type { ApplyEvent } from '../apply/events.js';
import type { Progress } from '../progress.js';

/** Shows beside a run's bar how far what takes long is: index builds, with their phase, and backfills. */
export class WorkNotes {
  readonly #notes = new Map<string, string>();

  constructor(
    private readonly progress: Progress,
    private readonly shownName: (index: string) => string,
  ) {}

  observe(event: ApplyEvent): void {
    if (event.kind === 'build-progress') {
      const { schema, index, phase, done, total } = event;
      this.#notes.set(`${schema}\0${index}`, `${schema}.${this.shownName(index)}: ${phase}${share(done, total)}`);
    } else if (event.kind === 'backfill-progress') {
      const { schema, table, column, done, total } = event;
      this.#notes.set(`${schema}\0${table}.${column}`, `${schema}.${table}: filling ${column}${share(done, total)}`);
    } else if (event.kind === 'build-yielded') this.#notes.delete(`${event.schema}\0${event.index}`);
    else if (event.kind === 'change-finished' || event.kind === 'tenant-finished' || event.kind === 'retry') {
      for (const key of [...this.#notes.keys()]) if (key.startsWith(`${event.schema}\0`)) this.#notes.delete(key);
    } else return;
    this.progress.note?.([...this.#notes.values()].join('; '));
  }
}

const share = (done: number, total: number): string =>
  total > 0 ? ` ${Math.min(100, Math.floor((100 * done) / total))}%` : '';
