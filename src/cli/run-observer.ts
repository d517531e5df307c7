import type { ApplyEvent } from '../apply/events.js';
import type { Progress } from '../progress.js';
import { eventDocument } from '../report/apply-events.js';
import type { MemberNames } from '../report/member-names.js';
import { BuildNotes } from './build-notes.js';

/** To whom a run tells its events. */
export interface ObserverOptions {
  /** Takes a line an event; null: nobody asked for them. */
  readonly lines: NodeJS.WritableStream | null;
  /** Shows the builds beside its bar. */
  readonly progress: Progress;
  readonly names: MemberNames;
  readonly showValues: boolean;
}

/** Tells a run's events to whoever asked: as JSON lines, and as notes beside the bar. */
export function runObserver({ lines, progress, names, showValues }: ObserverOptions): (event: ApplyEvent) => void {
  const hide = showValues ? null : names;
  const notes = new BuildNotes(progress, (index) => hide?.name(index) ?? index);
  return (event) => {
    notes.observe(event);
    lines?.write(`${JSON.stringify(eventDocument(event, new Date(), { hide }))}\n`);
  };
}
