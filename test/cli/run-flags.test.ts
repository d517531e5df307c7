import { Parser } from '@oclif/core';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, runDefaults } from '../../src/apply/request.js';
import { withEnvironment } from '../../src/cli/arguments.js';
import {
  parseMaxFailures,
  parseShard,
  type RunFlags,
  runFlags,
  runOptionsOf,
  shardSelection,
} from '../../src/cli/run-flags.js';

const NOW = new Date('2030-01-01T00:00:00Z');

async function parsed(argv: readonly string[], environment: Record<string, string> = {}): Promise<RunFlags> {
  const words = withEnvironment(argv, runFlags, environment);
  const { flags } = await Parser.parse([...words], { flags: runFlags, strict: true });
  return flags as unknown as RunFlags;
}

describe('the flags of a run', () => {
  it('are the engine’s own defaults when none is given', async () => {
    const { concurrency, indexBuilds, batch, canary, maxFailures, deadline, limits } = runDefaults();
    expect(runOptionsOf(await parsed([]), NOW)).toEqual({
      concurrency,
      indexBuilds,
      batch,
      canary,
      maxFailures,
      deadline,
      limits,
    });
  });

  it('become what apply is asked for', async () => {
    const argv = [
      '--concurrency=8',
      '--index-builds',
      '2',
      '--batch=20',
      '--canary=5',
      '--max-failures=5%',
      '--deadline',
      '90min',
    ];
    const limits = ['--lock-timeout=250ms', '--build-timeout=2h', '--lock-wait=0', '--yield-after=2s'];
    const options = runOptionsOf(await parsed([...argv, ...limits, '--drain-timeout', '1min']), NOW);
    expect(options).toEqual({
      concurrency: 8,
      indexBuilds: 2,
      batch: 20,
      canary: 5,
      maxFailures: { percent: 5 },
      deadline: new Date('2030-01-01T01:30:00Z'),
      limits: {
        ...DEFAULT_LIMITS,
        lockTimeout: 250,
        buildTimeout: 7_200_000,
        lockWait: 0,
        yieldAfter: 2000,
        drainTimeout: 60_000,
      },
    });
  });

  it('can each be given by a variable, which the command line overrules', async () => {
    const flags = await parsed(['--canary', '1'], {
      TRUEUP_CANARY: '9',
      TRUEUP_INDEX_BUILDS: '3',
      TRUEUP_MAX_FAILURES: '2',
      TRUEUP_LOCK_TIMEOUT: '100ms',
      TRUEUP_EVENTS: 'true',
    });
    expect(runOptionsOf(flags, NOW)).toMatchObject({ canary: 1, indexBuilds: 3, maxFailures: { tenants: 2 } });
    expect(flags).toMatchObject({ events: true, 'lock-timeout': '100ms' });
  });

  it.each([
    [['--lock-timeout=1s'], '--lock-timeout 1s is not below 1s'],
    [['--lock-timeout=0'], '--lock-timeout 0 is too short'],
    [['--build-timeout=0'], '--build-timeout 0 is too short'],
    [['--yield-after=x'], '--yield-after x is no duration'],
    [['--max-failures=0'], '--max-failures 0 is neither'],
    [['--max-failures=101%'], '--max-failures 101% is neither'],
    [['--max-failures=1.5'], '--max-failures 1.5 is neither'],
    [['--deadline=12'], '--deadline 12 is no moment'],
  ])('are refused with one clear error: %j', async (argv, message) => {
    const flags = await parsed(argv);
    expect(() => runOptionsOf(flags, NOW)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }),
    );
  });

  it.each([['--concurrency=0'], ['--index-builds=0'], ['--batch=0'], ['--canary=-1']])('refuse %s', async (word) => {
    await expect(parsed([word])).rejects.toThrow('greater than or equal to');
  });
});

describe('--max-failures', () => {
  it('is a number of tenants, or a share of them', () => {
    expect(parseMaxFailures('3')).toEqual({ tenants: 3 });
    expect(parseMaxFailures('0.5%')).toEqual({ percent: 0.5 });
    expect(parseMaxFailures('100 %')).toEqual({ percent: 100 });
  });
});

describe('--shard', () => {
  it('counts from 0', () => {
    expect(parseShard('0/1')).toEqual({ index: 0, count: 1 });
    expect(parseShard('7/8')).toEqual({ index: 7, count: 8 });
    expect(shardSelection({})).toEqual({});
    expect(shardSelection({ shard: '1/2' })).toEqual({ shard: { index: 1, count: 2 } });
  });

  it.each(['1', '-1/4', 'a/b', '1/2/3', '1.5/2', ''])('refuses %j as of another form', (text) => {
    expect(() => parseShard(text)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: `--shard ${text} is not of the form I/N` }),
    );
  });

  it.each(['8/8', '3/2', '1/0', '0/0'])('refuses %j, which is of the form, for its range', (text) => {
    expect(() => parseShard(text)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: `--shard ${text} is no part of a fleet: I is not below N` }),
    );
  });
});
