import { CLIError } from '@oclif/core/errors';
import { CONNECTION_LOST } from '../database/database-errors.js';
import { DatabaseError } from '../database/session.js';
import { closest } from '../did-you-mean.js';
import { type ErrorCode, TrueupError } from '../trueup-error.js';
import { IN_MEMORY } from './arguments.js';

/** The parser of the SQL grammar can throw messages of megabytes. */
const LONGEST = 2000;

/** Where a command line that was wrong is put right. */
export interface Usage {
  /** The command line that shows how the command is used. */
  readonly help: string;
  /** The commands, as they are called, that have a flag. */
  readonly commandsWith: (flag: string) => readonly string[];
}

const UNKNOWN_COMMAND: Usage = { help: '--help', commandsWith: () => [] };

/** Whatever was thrown, as the one kind of error that is shown. What nobody foresaw is INTERNAL: a bug. */
export function knownError(error: unknown, usage = UNKNOWN_COMMAND): TrueupError {
  if (error instanceof TrueupError) return error;
  if (error instanceof DatabaseError) return fromDatabase(error);
  if (error instanceof CLIError) return fromUsage(error, usage);
  if (error instanceof Error && 'syscall' in error && error.syscall === 'uv_cwd')
    return new TrueupError('USAGE', 'the current directory is gone', { remedy: 'change to another one', cause: error });
  const message = error instanceof Error ? error.message : String(error);
  return new TrueupError('INTERNAL', `this is a bug in trueup: ${shortened(message)}`, {
    remedy: 'run it again with DEBUG=1 and report what it prints',
    cause: error,
  });
}

function fromDatabase(error: DatabaseError): TrueupError {
  const code: ErrorCode =
    error.code === '42501' ? 'PRIVILEGE' : isConnection(error.code) ? 'CONNECTION_FAILED' : 'INTERNAL';
  const detail = [error.details.detail, error.details.hint].filter((text) => text !== undefined);
  return new TrueupError(code, shortened([error.message, ...detail].join('\n')), {
    where: `SQLSTATE ${error.code}`,
    remedy:
      code === 'PRIVILEGE'
        ? 'grant the role what it lacks, or use --role or another user'
        : code === 'CONNECTION_FAILED'
          ? 'check the server and its log, and run it again'
          : 'this is a bug in trueup: run it again with DEBUG=1 and report what it prints',
    cause: error,
  });
}

const isConnection = (code: string): boolean => code === CONNECTION_LOST || /^(?:08|57P|53300)/u.test(code);

/** An error of oclif's parser: its message in our form, and without the advice that stands in the remedy anyway. */
function fromUsage(error: CLIError, usage: Usage): TrueupError {
  const remedy = `see ${usage.help}`;
  if ('flags' in error && Array.isArray(error.flags))
    return unknownFlags(error.flags.map(String), flagsOf(error), usage);
  const message = error.message
    .replaceAll(/\s*See more help with --help/gu, '')
    .replace(/^The following errors? occurred:\s*/u, '')
    .replaceAll(/^\s*Missing required flag (\S+)$/gmu, 'the flag --$1 is missing')
    // What stands in for a value that was not given.
    .replaceAll(`=${IN_MEMORY}`, '')
    .replace(/^Parsing (--\S+)\s+/u, '$1: ')
    .trim();
  return new TrueupError('USAGE', shortened(lowered(message)), { remedy, cause: error });
}

function unknownFlags(given: readonly string[], known: readonly string[], usage: Usage): TrueupError {
  const names = given.map((flag) => flag.replace(/=.*$/su, ''));
  // Whoever writes another command's flag made no slip of the pen.
  const others = names.flatMap((name) => {
    const commands = usage.commandsWith(name);
    return commands.length === 0 ? [] : [`${name} is a flag of ${commands.join(' and of ')}`];
  });
  const meant = names.map((name) => closest(name, known)).filter((name) => name !== null);
  return new TrueupError('USAGE', `unknown flag${names.length === 1 ? '' : 's'} ${names.join(', ')}`, {
    remedy:
      others.length > 0
        ? others.join('; ')
        : meant.length > 0
          ? `did you mean ${meant.join(', ')}?`
          : `see ${usage.help}`,
  });
}

/** The flags of the command that could not be parsed, as oclif hands them over with its error. */
function flagsOf(error: CLIError): readonly string[] {
  const parse: unknown = 'parse' in error ? error.parse : null;
  if (typeof parse !== 'object' || parse === null || !('input' in parse)) return [];
  const input = parse.input;
  if (typeof input !== 'object' || input === null || !('flags' in input)) return [];
  return Object.keys(input.flags as object).map((name) => `--${name}`);
}

const lowered = (message: string): string =>
  /^[A-Z][a-z]/u.test(message) ? message.charAt(0).toLowerCase() + message.slice(1) : message;

const shortened = (message: string): string =>
  message.length <= LONGEST ? message : `${message.slice(0, LONGEST)}… (${message.length} characters)`;
