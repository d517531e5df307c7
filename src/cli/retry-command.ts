import { basename, relative } from 'node:path';
import type { FleetOutcome } from '../apply/fleet-outcome.js';
import { parseConnectionUrl } from '../database/connection-url.js';
import { hasLeftOvers } from '../report/change-counts.js';
import { shellQuoted } from '../shell-quoted.js';
import { endOfFlags } from './arguments.js';

/** A command line to be copied, and what has to be known about it. */
export interface RetryCommand {
  readonly line: string;
  readonly note: string | null;
}

const URL_FLAG = '--database-url';
const VARIABLE = 'TRUEUP_DATABASE_URL';

/**
 * The command line that a run was started by, quoted for a shell. Never with a server's connection string, which may
 * hold a password in more ways than can be told: a variable stands in its place.
 * @param argv the words after the program, its command among them
 */
export function retryCommand(program: string, argv: readonly string[]): RetryCommand {
  const end = endOfFlags(argv);
  const hidden: string[] = [];
  const words = argv.map((word, at) => {
    const given = at < end && word.startsWith(`${URL_FLAG}=`) ? word.slice(URL_FLAG.length + 1) : null;
    const value = given ?? (at > 0 && at <= end && argv[at - 1] === URL_FLAG ? word : null);
    if (value === null || !isHidden(value.replace(/^[A-Za-z0-9][\w.-]*=(?=[a-z][a-z+0-9]*:\/\/)/u, '')))
      return shellQuoted(word);
    // Of several databases each has a variable of its own.
    const id = /^[A-Za-z0-9][\w.-]*(?==[a-z][a-z+0-9]*:\/\/)/u.exec(value)?.[0];
    const variable = id === undefined ? VARIABLE : `${id.toUpperCase().replaceAll(/\W/gu, '_')}_DATABASE_URL`;
    hidden.push(variable);
    const hiding = `${id === undefined ? '' : `${id}=`}"$${variable}"`;
    return given === null ? hiding : `${URL_FLAG} ${hiding}`;
  });
  return {
    line: [program, ...words].join(' '),
    note: hidden.length === 0 ? null : `Connection strings are never shown: put yours into ${hidden.join(', ')}.`,
  };
}

/** Flags that say where a saved plan is to be applied: its file does not. */
export interface PlaceFlags {
  readonly 'database-url'?: readonly string[] | undefined;
  readonly embedded?: string | undefined;
  readonly role?: string | undefined;
  readonly 'desired-state'?: string | undefined;
}

/** The command line that applies a saved plan where it was made. */
export function applyCommand(program: string, file: string, flags: PlaceFlags): RetryCommand {
  const words = Object.entries({
    'database-url': flags['database-url'] ?? [],
    embedded: [flags.embedded],
    role: [flags.role],
    'desired-state': [flags['desired-state']],
  }).flatMap(([name, values]) => values.flatMap((value) => (value === undefined ? [] : [`--${name}`, value])));
  return retryCommand(program, ['apply', file, ...words]);
}

/**
 * What to run for what a run has left over; null when nothing is. The same file of a plan serves tenants that were not
 * reached or that failed; stale ones need a new plan, as their own remedy says.
 * @param saved whether the run was of a saved plan
 */
export function retryFor(
  result: FleetOutcome,
  saved: boolean,
  program: string,
  argv: readonly string[],
): RetryCommand | null {
  const { failed, notAttempted, stale } = result.summary;
  const onlyStale = stale > 0 && failed + notAttempted === 0;
  return !hasLeftOvers(result) || (saved && onlyStale) ? null : retryCommand(program, argv);
}

/**
 * How this program is called again: from a clone, and from a project that has it among its packages, there is no program of
 * that name on the path.
 * @param script the path that the program was started by
 */
export function programName(installed: string, script: string = process.argv[1] ?? installed): string {
  if (basename(script).endsWith('.js')) return `node ${shellQuoted(relative(process.cwd(), script))}`;
  return /[\\/]node_modules[\\/]\.bin[\\/]/u.test(script) ? `npx ${installed}` : installed;
}

/** A server's connection string is never shown whole; what cannot be read counts as one. */
function isHidden(url: string): boolean {
  try {
    return parseConnectionUrl(url).kind !== 'embedded';
  } catch {
    return true;
  }
}
