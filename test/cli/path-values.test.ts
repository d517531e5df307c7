import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/start/load-config.js';

const config = loadConfig(new URL('../../bin/dev.js', import.meta.url).href, { development: true });

const run = async (name: string, ...argv: readonly string[]): Promise<unknown> =>
  (await config).runCommand(name, [...argv]);

describe('an empty name', () => {
  it.each([
    ['plan', '--out', 'file'],
    ['plan', '--report', 'file'],
    ['plan', '--tenant-list', 'file'],
    ['plan', '--desired-state', 'directory'],
    ['plan', '--embedded', 'directory'],
    ['apply', '--report', 'file'],
    ['inspect', '--out', 'directory'],
    ['validate', '--desired-state', 'directory'],
    ['demo', '--embedded', 'directory'],
  ])('is wrong usage, which names the flag: %s %s', async (name, flag, kind) => {
    const needed = name === 'inspect' ? ['--schema', 't1'] : [];
    await expect(run(name, ...needed, flag, '')).rejects.toMatchObject({
      code: 'USAGE',
      message: `${flag} names no ${kind}: its value is empty`,
      options: { remedy: `give the name of a ${kind}, or leave ${flag} out` },
    });
  });

  it('is wrong usage as the plan to apply', async () => {
    await expect(run('apply', '')).rejects.toMatchObject({
      code: 'USAGE',
      message: 'FILE names no file: its value is empty',
    });
  });
});
