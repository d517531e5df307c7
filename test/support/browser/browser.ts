import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';

/** The program of a browser; installs what is missing where it can, else throws. */
function browserProgram(): string {
  const script = fileURLToPath(new URL('install.sh', import.meta.url));
  const output = execFileSync('bash', [script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const program = output.trim().split('\n').at(-1);
  if (!program) throw new Error(`${script} named no program`);
  return program;
}

/** A real browser without a window, and without the requests that it makes for itself. */
export const startBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: browserProgram(),
    headless: true,
    timeout: 30_000,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
