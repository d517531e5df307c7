import { join } from 'node:path';
import { type Finished, runProcess } from './run-process.js';

/** Runs a script through psql, statement by statement, stopping at the first error. `bin` null: psql from the PATH. */
export const psql = (bin: string | null, url: string, script: string): Promise<Finished> =>
  runProcess(
    bin === null ? 'psql' : join(bin, 'psql'),
    ['--no-psqlrc', '--quiet', '--no-align', '--tuples-only', '--set=ON_ERROR_STOP=1', '--file=-', url],
    { input: script },
  );
