import { TrueupError } from '../trueup-error.js';

/** The value of `--embedded` that stands for "in memory". */
export const IN_MEMORY = ':memory:';

/** What of a flag's definition matters here. */
export interface FlagDefinition {
  readonly type: 'boolean' | 'option';
  readonly multiple?: boolean;
  readonly allowNo?: boolean;
  readonly char?: string;
  readonly aliases?: readonly string[];
}

/** Flags whose variables say where the database is: they rank below other flags, so target.ts reads them. */
const READ_ELSEWHERE = ['database-url', 'embedded'];

/** Gives `--embedded` without a directory its value: oclif knows no flag whose value may be left out. */
export function withEmbeddedValue(argv: readonly string[]): readonly string[] {
  const end = endOfFlags(argv);
  return argv.map((word, index) => {
    if (index >= end || (word !== '--embedded' && word !== '--embedded=')) return word;
    const next = argv[index + 1];
    const alone = word === '--embedded=' || next === undefined || next.startsWith('-');
    return alone ? `--embedded=${IN_MEMORY}` : word;
  });
}

/**
 * Puts flags that are given by variables (`TRUEUP_LOCK_TIMEOUT` for `--lock-timeout`) before those of the command line,
 * where they are not given there. Several values stand between commas (outside of parentheses), or as a JSON array.
 * oclif's own `env` takes several values for one.
 * @throws {TrueupError} USAGE for a variable that cannot be understood
 */
export function withEnvironment(
  argv: readonly string[],
  flags: Readonly<Record<string, FlagDefinition>>,
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const added: string[] = [];
  for (const [name, flag] of Object.entries(flags)) {
    const variable = variableOf(name);
    const value = environment[variable];
    if (!value || READ_ELSEWHERE.includes(name) || isGiven(argv, name, flag)) continue;
    if (flag.type === 'boolean') {
      if (truthOf(value, variable)) added.push(`--${name}`);
      else if (flag.allowNo === true) added.push(`--no-${name}`);
    } else {
      const values = flag.multiple === true ? severalOf(value, variable) : [value];
      added.push(...values.map((one) => `--${name}=${one}`));
    }
  }
  return [...added, ...argv];
}

/** `TRUEUP_LOCK_TIMEOUT` for `lock-timeout`. */
export const variableOf = (flag: string): string => `TRUEUP_${flag.toUpperCase().replaceAll('-', '_')}`;

/** Whether the user asked for JSON, as far as it can be told before the flags are parsed. */
export function wantsJson(argv: readonly string[], environment: Readonly<Record<string, string | undefined>>): boolean {
  const variable = environment.TRUEUP_JSON;
  return argv.slice(0, endOfFlags(argv)).includes('--json') || (variable !== undefined && isTrue(variable));
}

/** Whether what is told on standard error is to be JSON, likewise. */
export function wantsJsonLog(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  const words = argv.slice(0, endOfFlags(argv));
  const at = words.findLastIndex((word) => word === '--log-format' || word.startsWith('--log-format='));
  if (at < 0) return environment.TRUEUP_LOG_FORMAT === 'json';
  return words[at] === '--log-format=json' || (words[at] === '--log-format' && words[at + 1] === 'json');
}

/** Where `--` stands: words after it are no flags. */
export function endOfFlags(argv: readonly string[]): number {
  const end = argv.indexOf('--');
  return end < 0 ? argv.length : end;
}

function isGiven(argv: readonly string[], name: string, flag: FlagDefinition): boolean {
  const long = [name, ...(flag.aliases ?? [])].flatMap((each) => [`--${each}`, `--no-${each}`]);
  const short = flag.char === undefined ? null : `-${flag.char}`;
  return argv
    .slice(0, endOfFlags(argv))
    .some(
      (word) =>
        long.includes(word.replace(/=.*$/su, '')) || (short !== null && /^-[^-]/u.test(word) && word.startsWith(short)),
    );
}

function truthOf(value: string, variable: string): boolean {
  if (isTrue(value)) return true;
  if (['0', 'false', 'no', 'off'].includes(value.toLowerCase())) return false;
  throw new TrueupError('USAGE', `${variable} is neither true nor false`, {
    remedy: `set ${variable}=true, or unset it`,
  });
}

const isTrue = (value: string): boolean => ['1', 'true', 'yes', 'on'].includes(value.toLowerCase());

function severalOf(value: string, variable: string): readonly string[] {
  if (!value.trimStart().startsWith('[')) return value.split(/,(?![^()]*\))/u).filter((one) => one !== '');
  try {
    const parsed: unknown = JSON.parse(value);
    if (Array.isArray(parsed) && parsed.every((one) => typeof one === 'string')) return parsed;
  } catch {
    // Said below.
  }
  throw new TrueupError('USAGE', `${variable} is no JSON array of strings`, {
    remedy: `set ${variable}='["one", "two"]', or one,two`,
  });
}
