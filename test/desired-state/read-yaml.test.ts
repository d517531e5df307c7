import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadDesiredState } from '../../src/desired-state/load.js';
import { TrueupError } from '../../src/trueup-error.js';
import { foundIn, optionsFor, problemsOf, SHOP, writeDesiredState } from '../support/desired-state-fixture.js';

const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${[...'bcdefghi']
  .map((letter, index) => {
    const before = 'abcdefghi'[index];
    return `${letter}: &${letter} [${Array.from({ length: 9 }, () => `*${before}`).join(', ')}]`;
  })
  .join('\n')}\n`;

const HOSTILE: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
  ['an alias bomb', bomb, /aliases that unfold to an excessive size/u],
  ['very many aliases', `a: &a 1\nb: [${'*a, '.repeat(50_000)}]\n`, /more than 100 aliases/u],
  ['a file of 50 MB', Buffer.alloc(50_000_000, 'a: b\n'), /larger than 1 MB/u],
  ['deep brackets', `a: ${'['.repeat(100_000)}`, /nested deeper/u],
  ['deep closed brackets', `a: ${'['.repeat(60)}${']'.repeat(60)}`, /nested deeper/u],
  [
    'deep block mappings',
    Array.from({ length: 1_000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
    /nested deep/u,
  ],
  ['deep block lists', `${'- '.repeat(100_000)}x`, /nested deep/u],
  ['an anchor in a ring', 'tables: &a\n  b: *a\n', /refers to what encloses it/u],
  ['UTF-16 with a byte order mark', Buffer.from('\ufefftables: {}', 'utf16le'), /UTF-16/u],
  ['UTF-16 without one', Buffer.from('tables: {}', 'utf16le'), /NUL byte/u],
  ['text that is not UTF-8', Buffer.from([0x61, 0x3a, 0x20, 0xe9, 0x0a]), /not valid UTF-8/u],
  ['tabs', 'tables:\n\titems: {}\n', /tab is used for indentation/u],
  ['an empty file', '', /the file is empty/u],
  ['two documents', 'tables: {}\n---\ntables: {}\n', /^a second YAML document begins here$/u],
  ['a list for a key', 'tables:\n  ? [a, b]\n  : {}\n', /^a key is no text$/u],
  ['a list at the top', '- a\n', /must be a mapping, but is a list/u],
  ['a tag', 'tables: !!js/function "x"\n', /not valid YAML/u],
  [
    'a number that would be rounded',
    'limits: { width: { maximum: 9223372036854775807 } }\n',
    /too large to be kept exactly/u,
  ],
];

describe('S4: a file that is no desired state', () => {
  it.each(HOSTILE)('is one clear error: %s', async (_name, content, message) => {
    const begun = performance.now();
    const [first, ...others] = await problemsOf({ 'base.yaml': content });
    expect(first).toMatchObject({ code: 'DESIRED_STATE_INVALID', message: expect.stringMatching(message) });
    expect(first?.where).toMatch(/^base\.yaml:\d+:\d+$/u);
    expect(first?.remedy).not.toBe('');
    expect(others).toEqual([]);
    expect(performance.now() - begun).toBeLessThan(2_000);
  });

  it('is one clear error: a directory, a named pipe, a link in a ring, a file out of the directory', async () => {
    const kinds: readonly (readonly [RegExp, (path: string) => void])[] = [
      [/is a directory/u, (path) => mkdirSync(path)],
      [/not a regular file/u, (path) => void execFileSync('mkfifo', [path])],
      [/in a ring/u, (path) => symlinkSync(path, path)],
      [/does not exist/u, () => {}],
    ];
    for (const [message, make] of kinds) {
      const directory = writeDesiredState();
      rmSync(join(directory, 'base.yaml'));
      make(join(directory, 'base.yaml'));
      const error = await loadDesiredState(optionsFor(directory)).catch((caught: unknown) => caught);
      if (!(error instanceof TrueupError)) throw error;
      expect(foundIn(error, directory)).toMatchObject([{ message: expect.stringMatching(message) }]);
    }
    const fleet = SHOP['fleet.yaml'].replace('file: base.yaml', 'file: ../../../etc/passwd');
    expect(await problemsOf({ 'fleet.yaml': fleet })).toMatchObject([
      { message: '"../../../etc/passwd" leads out of the directory' },
    ]);
  });

  it('is accepted with a UTF-8 byte order mark and Windows line ends', async () => {
    const text = `\ufeff${SHOP['base.yaml'].trimStart().replaceAll('\n', '\r\n')}`;
    const state = await loadDesiredState(optionsFor(writeDesiredState({ 'base.yaml': text })));
    expect(state.tables).toHaveLength(2);
  });

  it('names every key that is given twice', async () => {
    const found = await problemsOf({
      'base.yaml': 'tables:\n  a: { columns: { x: text } }\n  a: { columns: { y: text } }\n',
    });
    expect(found).toMatchObject([{ where: 'base.yaml:3:3', message: 'the key "a" is given twice' }]);
  });

  it('is missing: the error says what to do', async () => {
    const error = await loadDesiredState(optionsFor('/no/such/directory')).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'DESIRED_STATE_MISSING',
      options: { where: '/no/such/directory/fleet.yaml', remedy: expect.stringContaining('--desired-state') },
    });
  });
});
