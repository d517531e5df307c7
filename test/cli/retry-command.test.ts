import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyCommand, programName, retryCommand, retryFor } from '../../src/cli/retry-command.js';
import { visible } from '../../src/report/visible.js';
import { shellQuoted } from '../../src/shell-quoted.js';
import { ended, fleetOutcome } from '../support/plan-fixture.js';

describe('the retry command', () => {
  it('is the command line that was given', () => {
    const argv = ['apply', '--embedded', './data', '--schema', 'tenant x', '--yes'];
    expect(retryCommand('trueup', argv)).toEqual({
      line: `trueup apply --embedded ./data --schema 'tenant x' --yes`,
      note: null,
    });
  });

  it.each([
    ['postgresql://u:hunter22@h/d'],
    ['postgresql+asyncpg://u:hunter22@h/d'],
    ['postgresql://:hunter22@h/d'],
    ['postgresql://u:hunter 22@h/d'],
    ['postgresql://u:hunter22@x@h/d'],
    ['postgresql://h/d?user=u&password=hunter22'],
    ['postgresql://h/d?sslpassword=hunter22'],
    ['postgresql://u:%68unter22@h/d'],
    ['host=h password=hunter22'],
  ])('never holds a password: %s (R13)', (url) => {
    for (const words of [['--database-url', url], [`--database-url=${url}`]]) {
      const { line, note } = retryCommand('trueup', ['apply', ...words, '--yes']);
      expect(line).toBe('trueup apply --database-url "$TRUEUP_DATABASE_URL" --yes');
      expect(note).toContain('TRUEUP_DATABASE_URL');
    }
  });

  it('never holds a connection string, with or without a password; a directory is none', () => {
    expect(retryCommand('trueup', ['apply', '--database-url=pglite://./data']).note).toBe(null);
    expect(retryCommand('trueup', ['apply', '--database-url=postgresql://u@/d?host=/run/pg']).line).toBe(
      'trueup apply --database-url "$TRUEUP_DATABASE_URL"',
    );
  });

  it('has a variable for each of several databases', () => {
    const argv = ['apply', '--database-url', 'eu-1=postgresql://u:secret@a/d', '--database-url=us=postgresql://b/d'];
    const { line, note } = retryCommand('trueup', argv);
    expect(line).toBe('trueup apply --database-url eu-1="$EU_1_DATABASE_URL" --database-url us="$US_DATABASE_URL"');
    expect(note).toContain('EU_1_DATABASE_URL, US_DATABASE_URL');
  });

  it('of a saved plan names the database and the role again, which the file does not', () => {
    expect(applyCommand('trueup', 'my plan', {}).line).toBe("trueup apply 'my plan'");
    expect(applyCommand('trueup', 'p', { embedded: './data', role: 'owner' }).line).toBe(
      'trueup apply p --embedded=./data --role=owner',
    );
    const { line, note } = applyCommand('trueup', 'p', { 'database-url': ['postgresql://u:hunter22@h/d'] });
    expect(line).toBe('trueup apply p --database-url "$TRUEUP_DATABASE_URL"');
    expect(note).toContain('TRUEUP_DATABASE_URL');
  });

  it('is taken by a shell as it was typed', () => {
    const words = fc.array(
      fc.string({ unit: 'grapheme' }).filter((word) => !word.includes('\0')),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(words, (argv) => {
        const script = `printf '%s\\0' x ${argv.map(shellQuoted).join(' ')}`;
        const { stdout } = spawnSync('bash', ['-c', script], { encoding: 'utf8', env: { LC_ALL: 'C.UTF-8' } });
        expect(stdout.split('\0').slice(1, -1)).toEqual(argv);
      }),
      { numRuns: 60, examples: [[["o'brien", '$(id)', '`id`', 'a\nb', '\x1b[31m', '\x07\\', '!', '', '-x', '"']]] },
    );
  });

  it('cannot steer the terminal', () => {
    expect(shellQuoted('a\x1b[2Jb')).toBe(String.raw`$'a\x1b[2Jb'`);
  });

  it('means the same word once a report has spelt out what nobody sees', () => {
    const word = "a\u200bb\u202e\u{e0067}'";
    const quoted = visible(shellQuoted(word));
    const { stdout } = spawnSync('bash', ['-c', `printf '%s' ${quoted}`], { encoding: 'utf8' });
    expect({ quoted, stdout }).toEqual({
      quoted: String.raw`$'a\xe2\x80\x8bb\xe2\x80\xae\xf3\xa0\x81\xa7\''`,
      stdout: word,
    });
  });
});

describe('a run’s retry', () => {
  const retry = (saved: boolean, ...outcomes: Parameters<typeof ended>[1][]) =>
    retryFor(fleetOutcome(outcomes.map((outcome, at) => ended(`t${at}`, outcome))), saved, 'trueup', [
      'apply',
      'x.plan',
    ])?.line ?? null;

  it('is named when something is left over, the file of a saved plan with it', () => {
    expect(retry(false, 'converged', 'not-attempted')).toBe('trueup apply x.plan');
    expect(retry(true, 'failed', 'stale')).toBe('trueup apply x.plan');
    expect(retry(false, 'converged', 'blocked', 'deferred')).toBe(null);
  });

  it('is not the same saved plan for tenants that are stale by it', () => {
    expect(retry(true, 'converged', 'stale')).toBe(null);
    expect(retry(false, 'stale')).toBe('trueup apply x.plan');
  });
});

describe('the program', () => {
  it.each([
    ['/usr/local/bin/trueup', 'trueup'],
    ['/home/u/app/node_modules/.bin/trueup', 'npx trueup'],
    ['/home/u/.npm/_npx/0123/node_modules/.bin/trueup', 'npx trueup'],
    [`${process.cwd()}/bin/run.js`, 'node bin/run.js'],
  ])('started as %s is called again as %s', (script, name) => {
    expect(programName('trueup', script)).toBe(name);
  });
});
