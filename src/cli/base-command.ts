import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import type * as Interfaces from '@oclif/core/interfaces';
import type { Progress } from '../progress.js';
import { withEmbeddedValue, withEnvironment } from './arguments.js';
import { printable } from './printable.js';
import { terminalProgress } from './progress.js';
import { writeDocument } from './standard-output.js';

/** The flags of a command, those of {@link BaseCommand} among them. */
export type FlagsOf<T extends typeof Command> = Interfaces.InferredFlags<
  (typeof BaseCommand)['baseFlags'] & T['flags']
>;

/** The arguments of a command. */
export type ArgumentsOf<T extends typeof Command> = Interfaces.InferredArgs<T['args']>;

/**
 * What the commands share: parsed flags (each also as a `TRUEUP_*` variable), output, `--json`. A command gives its exit
 * code back and throws its errors; only the entry point shows errors and exits.
 *
 * @example
 * export default class Validate extends BaseCommand<typeof Validate> {
 *   static override flags = { ...desiredStateFlags };
 *   protected async execute() {
 *     this.print('valid');
 *     return EXIT_CODES.success;
 *   }
 * }
 */
export abstract class BaseCommand<T extends typeof Command> extends Command {
  static override baseFlags = {
    json: Flags.boolean({ description: 'print one JSON document and nothing else', helpGroup: 'GLOBAL' }),
    quiet: Flags.boolean({ description: 'show no progress', helpGroup: 'GLOBAL' }),
  };

  protected flags!: FlagsOf<T>;
  protected args!: ArgumentsOf<T>;

  /** Does the command's work; gives the exit code. */
  protected abstract execute(): Promise<number>;

  override async run(): Promise<number> {
    await this.#parse();
    return this.execute();
  }

  /** Whether standard output is to hold one JSON document. */
  protected get jsonRequested(): boolean {
    return this.flags.json === true;
  }

  /** A line on standard output; nothing under `--json`. */
  protected print(text = ''): void {
    if (!this.jsonRequested) process.stdout.write(`${text}\n`);
  }

  /** The one document of a run with `--json`. */
  protected printJson(value: unknown): void {
    writeDocument(value);
  }

  /** A line on standard error, which no program reads as the result. */
  override warn(input: string | Error): string | Error {
    process.stderr.write(`Warning: ${printable(input instanceof Error ? input.message : input)}\n`);
    return input;
  }

  /** For the library to tell how far it has come: a bar on standard error, or nobody. */
  protected progress(): Progress {
    return terminalProgress(process.stderr, { quiet: this.flags.quiet === true });
  }

  async #parse(): Promise<void> {
    const { flags = {}, args = {}, strict = true } = this.ctor;
    const all: Interfaces.FlagInput = { ...BaseCommand.baseFlags, ...flags };
    // A flag that swallows all words after it would take the command's argument too.
    for (const flag of Object.values(all)) if (flag.type === 'option' && flag.multiple) flag.multipleNonGreedy = true;
    // oclif would wait for an absent argument on standard input, and take what a CI job pipes there.
    for (const argument of Object.values(args)) argument.ignoreStdin = true;
    this.argv = [...withEnvironment(withEmbeddedValue(this.argv), all, process.env)];
    const parsed = await this.parse({ flags, baseFlags: BaseCommand.baseFlags, args, strict });
    this.flags = parsed.flags as FlagsOf<T>;
    this.args = parsed.args as ArgumentsOf<T>;
  }
}
