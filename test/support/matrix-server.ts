import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { backendsBin } from './postgres/backends.js';
import { startServer, type TestServer } from './postgres/server.js';

/**
 * A server on which every backend's extensions can be created: the real ones of {@link backendsBin}, the stand-ins, and a
 * stand-in instead of its pg_textsearch, which is older than the desired state asks for. A copy: other tests use the real
 * one.
 */
export async function startMatrixServer(): Promise<TestServer> {
  const bin = backendsBin();
  // bin stands two directories below the installation, whose libraries stand beside them.
  const home = dirname(dirname(dirname(bin)));
  const copy = mkdtempSync(join(tmpdir(), 'trueup-matrix-'));
  chmodSync(copy, 0o755);
  cpSync(home, copy, { recursive: true });
  const own = join(copy, relative(home, bin));
  const shared = execFileSync(join(own, 'pg_config'), ['--sharedir'], { encoding: 'utf8' }).trim();
  const instead = fileURLToPath(new URL('stand-ins/instead', import.meta.url));
  for (const file of readdirSync(instead)) cpSync(join(instead, file), join(shared, 'extension', file));
  const server = await startServer({ bin: own });
  return {
    ...server,
    remove: async () => {
      await server.remove();
      rmSync(copy, { recursive: true, force: true });
    },
  };
}
