import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startServer, type TestServer } from './server.js';
import { otherPostgres } from './versions.js';

/**
 * The bin directory of a PostgreSQL 17 with the real vector, vectorscale, pg_textsearch and pg_search, with pg_trgm, and
 * with the stand-ins of `test/support/stand-ins` where there are any. Installed when it is not there.
 */
export function backendsBin(): string {
  const script = fileURLToPath(new URL('install-backends.sh', import.meta.url));
  const output = execFileSync('bash', [script, otherPostgres('17')], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const bin = output.trim().split('\n').at(-1);
  if (!bin) throw new Error(`${script} named no bin directory`);
  return bin;
}

/** Starts that server for one test file, which removes it again. */
export function startBackendServer(): Promise<TestServer> {
  return startServer({
    bin: backendsBin(),
    // Without it pg_textsearch cannot be created. The others load when they are used.
    settings: { shared_preload_libraries: 'pg_textsearch' },
  });
}
