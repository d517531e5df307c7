import type { Config } from '@oclif/core/config';
import { ExitError } from '@oclif/core/errors';
import { loadHelpClass } from '@oclif/core/help';
import { endOfFlags, wantsJson, wantsJsonLog } from '../cli/arguments.js';
import { EXIT_CODES } from '../cli/exit-codes.js';
import { knownError, type Usage } from '../cli/known-error.js';
import { surviveLostOutput, withLostOutput } from '../cli/lost-output.js';
import { reportError, showError } from '../cli/report-error.js';
import { endOnSignals } from '../cli/signals.js';
import { drain } from '../cli/standard-output.js';
import { closest } from '../did-you-mean.js';
import { optimiseLate } from '../optimise-late.js';
import { TrueupError } from '../trueup-error.js';
import { leaveUnoptimised } from '../webassembly-tiers.js';
import { loadConfig, SHORT_HELP } from './load-config.js';

const HELP = ['--help', ...SHORT_HELP];
const VERSION = ['--version', '-v', '-V'];

/**
 * Runs the command that the command line names, shows its error, and ends the process with its exit code. The only
 * place that exits.
 * @param importMetaUrl of a file in the package's bin directory
 * @param options development: load the commands from src, where the runtime can read TypeScript; debug: show stacks
 */
export async function run(
  importMetaUrl: string,
  options: { readonly development?: boolean; readonly debug?: boolean } = {},
): Promise<void> {
  const argv = process.argv.slice(2);
  let usage: Usage | undefined;
  const form = {
    json: wantsJson(argv, process.env),
    jsonLog: wantsJsonLog(argv, process.env),
    debug: options.debug === true,
  };
  const end = async (code: number): Promise<never> => {
    await drain();
    process.exit(withLostOutput(code));
  };
  let failing = false;
  const fail = async (error: unknown): Promise<void> => {
    // What the telling of an error throws would be told, and thrown, for ever.
    if (failing) return;
    failing = true;
    if (error instanceof ExitError) return end(error.oclif.exit ?? EXIT_CODES.error);
    try {
      reportError(knownError(error, usage), form);
    } finally {
      await end(EXIT_CODES.error);
    }
  };
  leaveUnoptimised();
  optimiseLate();
  surviveLostOutput((error) => showError(error, form));
  endOnSignals();
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  try {
    const config = await loadConfig(importMetaUrl, { development: options.development === true });
    usage = {
      help: [config.bin, ...argv.slice(0, 1), '--help'].join(' '),
      commandsWith: (flag) => commandsWith(flag, config),
    };
    await end(await dispatch(argv, config));
  } catch (error) {
    await fail(error);
  }
}

async function dispatch(argv: readonly string[], config: Config): Promise<number> {
  const [first, ...rest] = argv;
  if (first !== undefined && VERSION.includes(first)) {
    process.stdout.write(`${config.userAgent}\n`);
    return EXIT_CODES.success;
  }
  if (first === undefined || HELP.includes(first)) return showHelp([], config);
  const helpWanted = first === 'help' || rest.slice(0, endOfFlags(rest)).some((word) => HELP.includes(word));
  const name = first === 'help' ? rest[0] : first;
  if (name === undefined) return showHelp([], config);
  const command = config.findCommand(name);
  if (command === undefined) throw unknownCommand(name, config);
  if (helpWanted) return showHelp([name], config);
  const code: unknown = await config.runCommand(name, rest, command);
  if (typeof code !== 'number') throw new Error(`the command ${name} gave no exit code`);
  return code;
}

async function showHelp(words: readonly string[], config: Config): Promise<number> {
  const Help = await loadHelpClass(config);
  await new Help(config, config.pjson.oclif.helpOptions).showHelp([...words]);
  return EXIT_CODES.success;
}

/** The commands that have a flag, which is given with its dashes, under that name or another. */
const commandsWith = (flag: string, { commands, bin }: Config): readonly string[] =>
  commands
    .filter(({ flags }) =>
      Object.entries(flags).some(([name, { aliases = [] }]) => [name, ...aliases].includes(flag.slice(2))),
    )
    .map(({ id }) => `${bin} ${id}`);

function unknownCommand(name: string, config: Config): TrueupError {
  const known = config.commandIDs.filter((id) => !id.includes(':'));
  if (name.startsWith('-')) {
    return new TrueupError('USAGE', `${name} stands where the command should`, {
      remedy: `write ${config.bin} COMMAND ${name}; the commands are ${known.join(', ')}`,
    });
  }
  const meant = closest(name, known);
  return new TrueupError('USAGE', `unknown command ${name}`, {
    remedy: meant === null ? `use one of ${known.join(', ')}` : `did you mean ${config.bin} ${meant}?`,
  });
}
