import { describe, expect, it } from 'vitest';
import { IN_MEMORY, wantsJson, withEmbeddedValue, withEnvironment } from '../../src/cli/arguments.js';

describe('--embedded', () => {
  it.each([
    [['--embedded'], [`--embedded=${IN_MEMORY}`]],
    [['--embedded='], [`--embedded=${IN_MEMORY}`]],
    [
      ['--embedded', '--json'],
      [`--embedded=${IN_MEMORY}`, '--json'],
    ],
    [
      ['--embedded', 'dir'],
      ['--embedded', 'dir'],
    ],
    [
      ['--', '--embedded'],
      ['--', '--embedded'],
    ],
  ])('is in memory unless a directory follows: %j', (argv, expected) => {
    expect(withEmbeddedValue(argv)).toEqual(expected);
  });
});

describe('flags as variables', () => {
  const flags = {
    'lock-timeout': { type: 'option' },
    schema: { type: 'option', multiple: true },
    set: { type: 'option', multiple: true },
    yes: { type: 'boolean', char: 'y' },
    'database-url': { type: 'option' },
  } as const;
  const given = (environment: Record<string, string>, ...argv: string[]) => withEnvironment(argv, flags, environment);

  it('stand before the words of the command line', () => {
    expect(given({ TRUEUP_LOCK_TIMEOUT: '1s', TRUEUP_YES: 'yes' }, 'file')).toEqual([
      '--lock-timeout=1s',
      '--yes',
      'file',
    ]);
  });

  it('give way to the command line', () => {
    expect(given({ TRUEUP_LOCK_TIMEOUT: '1s' }, '--lock-timeout', '2s')).toEqual(['--lock-timeout', '2s']);
    expect(given({ TRUEUP_YES: '1' }, '-y')).toEqual(['-y']);
  });

  it('hold several values between commas or as JSON', () => {
    expect(given({ TRUEUP_SCHEMA: 'a,b c' })).toEqual(['--schema=a', '--schema=b c']);
    expect(given({ TRUEUP_SCHEMA: '["a,b","c"]' })).toEqual(['--schema=a,b', '--schema=c']);
    expect(given({ TRUEUP_SET: 't=ngram(3,2),x=1' })).toEqual(['--set=t=ngram(3,2)', '--set=x=1']);
    expect(() => given({ TRUEUP_SCHEMA: '[1]' })).toThrow(/JSON array/);
  });

  it('are not set by an empty variable, nor by a false one', () => {
    expect(given({ TRUEUP_LOCK_TIMEOUT: '', TRUEUP_YES: 'false' })).toEqual([]);
    expect(() => given({ TRUEUP_YES: 'perhaps' })).toThrow(/neither true nor false/);
  });

  it('leave the database to the order of targets', () => {
    expect(given({ TRUEUP_DATABASE_URL: 'postgresql://h/d' })).toEqual([]);
  });
});

it('JSON is wanted by flag or variable, not by a word after --', () => {
  expect(wantsJson(['plan', '--json'], {})).toBe(true);
  expect(wantsJson(['plan', '--', '--json'], {})).toBe(false);
  expect(wantsJson(['plan'], { TRUEUP_JSON: '1' })).toBe(true);
});
