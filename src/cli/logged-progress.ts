import { performance } from 'node:perf_hooks';
import { number } from '../counted.js';
import type { Progress } from '../progress.js';
import type { Log } from './log.js';

/** Passes everything on, and logs each stretch of work once it is done: how much, and how long it took. */
export function loggedProgress(shown: Progress, log: Log): Progress {
  let stretch: { readonly label: string; readonly began: number; count: number } | null = null;
  const ended = (): void => {
    if (stretch === null) return;
    const { label, began, count } = stretch;
    const ms = Math.round(performance.now() - began);
    const many = count === 0 ? '' : ` ${number(count)} in`;
    log.info(`${label}:${many} ${(ms / 1000).toFixed(1)} s`, { stage: label, count, ms });
    stretch = null;
  };
  return {
    phase(label, total) {
      ended();
      stretch = { label, began: performance.now(), count: 0 };
      shown.phase(label, total);
    },
    advance(count = 1) {
      if (stretch !== null) stretch.count += count;
      shown.advance(count);
    },
    note(text) {
      shown.note?.(text);
    },
    done() {
      ended();
      shown.done();
    },
  };
}
