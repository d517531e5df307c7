import type { RunControl } from '../apply/run-control.js';
import { EXIT_CODES, type ExitCode } from './exit-codes.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Signal = (typeof SIGNALS)[number];

/** How long a run that was cancelled may clean up before nothing is waited for; milliseconds. */
const CLEAN_UP = 2000;
/** npm and npx pass on to us what the terminal has sent us already: signals so close together are one; milliseconds. */
const ONE_PRESS = 250;

let handled = false;

/**
 * Ends the process at once on a signal, unless {@link handleSignals} answers it. Said explicitly, because the first
 * process of a container has no default action for signals and would go on.
 */
export function endOnSignals(): void {
  for (const signal of SIGNALS)
    process.on(signal, () => {
      if (!handled) process.exit(exitCodeOf(signal));
    });
}

/** What {@link handleSignals} needs beside the run. */
export interface SignalOptions {
  /** How long SIGTERM lets what is in flight go on; milliseconds. */
  readonly drainTimeout: number;
  /** Tells the operator, in one line. */
  readonly say: (text: string) => void;
}

/**
 * Ends a run by signals. SIGINT: drains; the second cancels, and gives up waiting 2 s later; the third ends the process.
 * SIGTERM, and SIGHUP (the terminal is gone): drains for at most `drainTimeout`, then cancels. Gives a function to be called when
 * the run is over: a signal then does not break off the report, nor does it become the exit code; a second one ends the process.
 */
export function handleSignals(control: RunControl, options: SignalOptions): () => void {
  const timers: NodeJS.Timeout[] = [];
  let count = 0;
  let over = false;
  let last = Number.NEGATIVE_INFINITY;
  const cancel = (reason: 'SIGINT' | 'SIGTERM') => {
    control.cancel(reason);
    timers.push(setTimeout(() => control.abandon(reason), CLEAN_UP));
  };
  const answer = (signal: Signal) => {
    const now = performance.now();
    if (now - last < ONE_PRESS) return;
    last = now;
    count += 1;
    if (over) {
      if (count > 1) process.exit(exitCodeOf(signal));
      options.say(
        `${signal}: the run is over, and its report is being written. Once more ends the process without it.`,
      );
      return;
    }
    const reason = signal === 'SIGINT' ? 'SIGINT' : 'SIGTERM';
    if (count === 1) {
      control.drain(reason);
      options.say(firstWords(signal, options.drainTimeout));
      if (reason === 'SIGTERM') timers.push(setTimeout(() => cancel(reason), options.drainTimeout));
    } else if (count === 2) {
      options.say(`${signal}: stopping at once; what runs on the server is cancelled.`);
      cancel(reason);
    } else process.exit(exitCodeOf(signal));
  };
  for (const signal of SIGNALS) process.on(signal, () => answer(signal));
  handled = true;
  return () => {
    over = true;
    count = 0;
    for (const timer of timers) clearTimeout(timer);
  };
}

function firstWords(signal: Signal, drainTimeout: number): string {
  const begun = `${signal}: nothing new is begun; what is in flight is finished and reported`;
  return signal === 'SIGINT'
    ? `${begun}. Ctrl-C again stops at once.`
    : `${begun}, for ${drainTimeout / 1000} s at most.`;
}

const exitCodeOf = (signal: Signal): ExitCode => (signal === 'SIGINT' ? EXIT_CODES.interrupted : EXIT_CODES.terminated);
