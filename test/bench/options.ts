import { parseArgs } from 'node:util';
import type { FleetSize } from './tenants.js';

/** What the bench is asked for. */
export interface BenchOptions {
  readonly size: FleetSize;
  /** Repetitions of each measurement. */
  readonly runs: number;
  /** An empty database on a server that runs already, of a role that may create databases; null: a server of our own. */
  readonly databaseUrl: string | null;
  /** Where the results go as JSON; null: nowhere. */
  readonly json: string | null;
  /** Where fleets are kept between runs. */
  readonly keep: string | null;
  /** Builds the fleet anew, though one is kept. */
  readonly fresh: boolean;
  /** Measures plans alone: nothing is changed, so nothing is copied, which takes room and an hour for a large fleet. */
  readonly plans: boolean;
  /** Writes the tables into docs/performance.md. */
  readonly updateDocs: boolean;
  /** Only tells what it can be asked for. */
  readonly help: boolean;
}

/** What `--help` prints, and what follows a flag that nobody knows. */
export const USAGE = `Measures trueup on a large fleet. docs/performance.md says beside what, and what each figure means.

USAGE
  npm run bench -- [FLAGS]

FLAGS
  --tenants N         tenants of the fleet (1000)
  --banks N           banks of each (3)
  --runs N            repetitions, of which the medians count (3)
  --database-url URL  an empty database to build the fleet in, instead of a server of the bench's own
  --keep DIR          where data directories are kept between runs
  --fresh             build the fleet anew
  --plans             measure plans alone: nothing is changed, and no copy needed
  --json FILE         write the results as JSON
  --update-docs       write the tables into docs/performance.md

EXAMPLES
  npm run bench -- --tenants 1000 --runs 5 --json results.json
  npm run bench -- --tenants 10000 --plans
`;

/** Reads the command line. @throws {TypeError} for what it does not know, or a number that is none */
export function benchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      tenants: { type: 'string', default: '1000' },
      banks: { type: 'string', default: '3' },
      runs: { type: 'string', default: '3' },
      'database-url': { type: 'string' },
      json: { type: 'string' },
      keep: { type: 'string' },
      fresh: { type: 'boolean', default: false },
      plans: { type: 'boolean', default: false },
      'update-docs': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  return {
    size: { tenants: number('tenants', values.tenants, 1, 99_999), banks: number('banks', values.banks, 0, 1000) },
    runs: number('runs', values.runs, 1, 1000),
    databaseUrl: values['database-url'] ?? null,
    json: values.json ?? null,
    keep: values.keep ?? null,
    fresh: values.fresh,
    plans: values.plans,
    updateDocs: values['update-docs'],
    help: values.help,
  };
}

function number(flag: string, text: string, minimum: number, maximum: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < minimum || value > maximum)
    throw new TypeError(`--${flag} must be a whole number from ${minimum} to ${maximum}, not ${text}`);
  return value;
}
