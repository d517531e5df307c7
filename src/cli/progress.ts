import cliProgress, { type GenericFormatter, Presets, SingleBar } from 'cli-progress';
import { NO_PROGRESS, type Progress } from '../progress.js';
import { printable } from './printable.js';

/** Work that is done sooner shows nothing; milliseconds. */
const PATIENCE = 1000;

// Its CommonJS exports this one in a way that Node cannot see by name.
const { Format } = cliProgress;

/** The widest bar; columns. */
const WIDEST = 40;
/** What stands beside the bar, as a rule; columns. */
const BESIDE = 60;

/** A bar, and lines above it. */
export interface TerminalOutput {
  readonly progress: Progress;
  /** Writes a line that does not run into the bar. */
  readonly write: (line: string) => void;
}

/** A bar on a terminal for each stretch of work that takes longer than a second. Silent when quiet, or not a terminal. */
export function terminalOutput(
  stream: NodeJS.WriteStream = process.stderr,
  options: { readonly quiet?: boolean } = {},
): TerminalOutput {
  if (options.quiet === true || !stream.isTTY)
    return { progress: NO_PROGRESS, write: (line) => void stream.write(`${line}\n`) };
  const progress = new TerminalProgress(stream);
  return { progress, write: (line) => progress.write(line) };
}

/** `applying ████░░░░ 1200/10000, 35/s, 34s, 4m11s left | …`: what is known of rate and end, once something is done. */
const line: GenericFormatter = (options, { value, total, progress, startTime }, { label, note, known }) => {
  const seconds = (Date.now() - startTime) / 1000;
  const time = (of: number): string => Format.TimeFormat(of, options, 1);
  const rate = value === 0 || seconds < 1 ? null : value / seconds;
  const parts = [
    known === true ? `${value}/${total}` : String(value),
    ...(rate === null ? [] : [`${rate < 10 ? rate.toFixed(1) : Math.round(rate)}/s`]),
    time(Math.round(seconds)),
    ...(rate === null || known !== true ? [] : [`${time(Math.ceil((total - value) / rate))} left`]),
  ];
  const bar = known === true ? ` ${Format.BarFormat(progress, options)}` : '';
  return `${label}${bar} ${parts.join(', ')}${note}`;
};

class TerminalProgress implements Progress {
  #bar: SingleBar | null = null;
  #timer: NodeJS.Timeout | null = null;
  #label = '';
  #total: number | null = null;
  #count = 0;
  #note = '';

  constructor(readonly stream: NodeJS.WriteStream) {}

  phase(label: string, total?: number): void {
    this.done();
    this.#label = printable(label);
    this.#total = total ?? null;
    this.#count = 0;
    this.#note = '';
    this.#timer = setTimeout(() => this.#show(), PATIENCE);
    this.#timer.unref();
  }

  advance(count = 1): void {
    this.#count += count;
    this.#bar?.update(this.#count);
  }

  note(text: string): void {
    this.#note = text === '' ? '' : ` | ${printable(text)}`;
    this.#bar?.update({ note: this.#note });
  }

  /** Takes the bar's line; the bar is drawn again below. */
  write(text: string): void {
    this.stream.write(`${this.#bar === null ? '' : '\r\u001B[K'}${text}\n`);
  }

  done(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    process.off('exit', this.#stop);
    this.#stop();
  }

  // An arrow function, to be taken off again: a signal that ends the process must not leave the cursor hidden.
  readonly #stop = (): void => {
    this.#bar?.stop();
    this.#bar = null;
  };

  #show(): void {
    this.#bar = new SingleBar(
      {
        format: line,
        // A narrow terminal still shows the numbers.
        barsize: Math.max(5, Math.min(WIDEST, (this.stream.columns || 80) - BESIDE)),
        stream: this.stream,
        clearOnComplete: true,
        hideCursor: true,
        noTTYOutput: false,
        // Else a bar whose line was taken would come back only when it has news.
        forceRedraw: true,
        // The bar must not take Ctrl-C from the run that drains on it.
        gracefulExit: false,
      },
      Presets.shades_classic,
    );
    this.#bar.start(this.#total ?? 0, this.#count, {
      label: this.#label,
      note: this.#note,
      known: this.#total !== null,
    });
    process.once('exit', this.#stop);
  }
}
