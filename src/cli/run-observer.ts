import type { ApplyEvent } from '../apply/events.js';
import type { Progress } from '../progress.js';
import { eventDocument } from '../report/apply-events.js';
import type { MemberNames } from '../report/member-names.js';
import { EVENT_LEVELS, logEvent } from './event-log.js';
import type { Log } from './log.js';
import { WorkNotes } from './work-notes.js';

/** To whom a run tells its events. */
export interface ObserverOptions {
  /** Takes a line an event; null: nobody asked for them. */
  readonly lines: NodeJS.WritableStream | null;
  /** Shows what takes long beside its bar. */
  readonly progress: Progress;
  readonly log: Log;
  readonly names: MemberNames;
  readonly showValues: boolean;
}

/** Tells a run's events to whoever asked: as JSON lines, in the log, and as notes beside the bar. */
export function runObserver({ lines, progress, log, names, showValues }: ObserverOptions): (event: ApplyEvent) => void {
  const hide = showValues ? null : names;
  const notes = new WorkNotes(progress, (index) => hide?.name(index) ?? index);
  return (event) => {
    notes.observe(event);
    // To profilers, and to the bench: a log of the run takes time of its own.
    if (event.kind === 'run-started' || event.kind === 'run-finished') performance.mark(`trueup ${event.kind}`);
    // A run has several events a tenant, and mostly nobody who reads them.
    if (lines === null && !log.shows(EVENT_LEVELS[event.kind])) return;
    const document = eventDocument(event, new Date(), { hide });
    logEvent(log, document);
    lines?.write(`${JSON.stringify(document)}\n`);
  };
}
