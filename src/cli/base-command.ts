import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import type * as Interfaces from '@oclif/core/interfaces';
import type { Progress } from '../progress.js';
import { withEmbeddedValue, withEnvironment } from './arguments.js';
import { LOG_FORMATS, LOG_LEVELS, Log } from './log.js';
import { loggedProgress } from './logged-progress.js';
import { refuseEmptyPath } from './path-values.js';
import { type TerminalOutput, terminalOutput } from './progress.js';
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
    'log-level': Flags.option({
      description: 'what to tell on standard error while it runs',
      options: LOG_LEVELS,
      helpValue: 'LEVEL',
      default: 'warn',
      helpGroup: 'GLOBAL',
    })(),
    'log-format': Flags.option({
      description: 'how: for people, or one JSON document a line',
      options: LOG_FORMATS,
      helpValue: 'FORM',
      default: 'text',
      helpGroup: 'GLOBAL',
    })(),
  };

  protected flags!: FlagsOf<T>;
  protected args!: ArgumentsOf<T>;
  #log: Log | null = null;
  #output: TerminalOutput | null = null;

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

  /** A warning on standard error, which no program reads as the result. */
  override warn(input: string | Error): string | Error {
    this.logger.warn(input instanceof Error ? input.message : input);
    return input;
  }

  /** Lines on standard error while the command runs. */
  protected get logger(): Log {
    this.#log ??= new Log({
      level: this.flags['log-level'],
      format: this.flags['log-format'],
      write: this.#standardError.write,
    });
    return this.#log;
  }

  /** For the library to tell how far it has come: a bar on standard error, and the log. */
  protected progress(): Progress {
    return loggedProgress(this.#standardError.progress, this.logger);
  }

  get #standardError(): TerminalOutput {
    // A bar would stand in the way of whoever reads the lines as JSON.
    const quiet = this.flags.quiet || this.flags['log-format'] === 'json';
    this.#output ??= terminalOutput(process.stderr, { quiet });
    return this.#output;
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
    for (const [name, flag] of Object.entries(all))
      if (flag.type === 'option') refuseEmptyPath(`--${name}`, parsed.flags[name], flag.helpValue);
    for (const name of Object.keys(args)) refuseEmptyPath(name.toUpperCase(), parsed.args[name], name.toUpperCase());
    this.flags = parsed.flags as FlagsOf<T>;
    this.args = parsed.args as ArgumentsOf<T>;
  }
}
