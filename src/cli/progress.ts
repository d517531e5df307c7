import { Presets, SingleBar } from 'cli-progress';
import { NO_PROGRESS, type Progress } from '../progress.js';
import { printable } from './printable.js';

/** Work that is done sooner shows nothing; milliseconds. */
const PATIENCE = 1000;

/** A bar on a terminal for each stretch of work that takes longer than a second. Silent when quiet, or not a terminal. */
export function terminalProgress(
  stream: NodeJS.WriteStream = process.stderr,
  options: { readonly quiet?: boolean } = {},
): Progress {
  return options.quiet === true || !stream.isTTY ? NO_PROGRESS : new TerminalProgress(stream);
}

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
    const known = this.#total !== null;
    const format = known
      ? `{label} {bar} {value}/{total}, {duration_formatted}{note}`
      : '{label} {value}, {duration_formatted}{note}';
    this.#bar = new SingleBar(
      {
        format,
        stream: this.stream,
        clearOnComplete: true,
        hideCursor: true,
        noTTYOutput: false,
        // The bar must not take Ctrl-C from the run that drains on it.
        gracefulExit: false,
        etaBuffer: 50,
      },
      Presets.shades_classic,
    );
    this.#bar.start(this.#total ?? 0, this.#count, { label: this.#label, note: this.#note });
    process.once('exit', this.#stop);
  }
}
