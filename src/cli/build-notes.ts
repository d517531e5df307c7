import type { ApplyEvent } from '../apply/events.js';
import type { Progress } from '../progress.js';

/** Shows beside a run's bar how far the current index builds are: phase and percentage. */
export class BuildNotes {
  readonly #builds = new Map<string, string>();

  constructor(
    private readonly progress: Progress,
    private readonly shownName: (index: string) => string,
  ) {}

  observe(event: ApplyEvent): void {
    if (event.kind === 'build-progress') {
      const { schema, index, phase, done, total } = event;
      const share = total > 0 ? ` ${Math.min(100, Math.floor((100 * done) / total))}%` : '';
      this.#builds.set(`${schema}\0${index}`, `${schema}.${this.shownName(index)}: ${phase}${share}`);
    } else if (event.kind === 'build-yielded') this.#builds.delete(`${event.schema}\0${event.index}`);
    else if (event.kind === 'change-finished' || event.kind === 'tenant-finished' || event.kind === 'retry') {
      for (const key of [...this.#builds.keys()]) if (key.startsWith(`${event.schema}\0`)) this.#builds.delete(key);
    } else return;
    this.progress.note?.([...this.#builds.values()].join('; '));
  }
}
