import { expect, it } from 'vitest';
import { FrontendReader } from './frontend-reader.js';
import type { Figure } from './measure.js';
import { benchOptions, USAGE } from './options.js';
import { shares } from './shares.js';
import { spread } from './statistics.js';
import { targetsOf } from './targets.js';

const first = (version: number, body = '') => {
  const message = Buffer.alloc(8 + body.length);
  message.writeInt32BE(message.length, 0);
  message.writeInt32BE(version, 4);
  message.write(body, 8);
  return message;
};
const typed = (type: string, body: string) => {
  const message = Buffer.alloc(5 + body.length);
  message.write(type, 0);
  message.writeInt32BE(4 + body.length, 1);
  message.write(body, 5);
  return message;
};
const SSL = 80877103;
const STARTUP = 196608;

it('counts simple queries and executions, and how often a client waits, in whatever pieces they come', () => {
  const bytes = Buffer.concat([
    first(STARTUP, 'user\0postgres\0\0'),
    typed('p', 'password\0'),
    typed('Q', 'SELECT 1\0'),
    typed('P', '\0SELECT Q\0'),
    typed('B', 'QQQ'),
    typed('E', '\0\0\0\0\0'),
    typed('P', '\0SELECT 2\0'),
    typed('B', ''),
    typed('E', '\0\0\0\0\0'),
    typed('S', ''),
    typed('X', ''),
  ]);
  for (const size of [1, 2, 3, 7, bytes.length]) {
    const reader = new FrontendReader();
    for (let at = 0; at < bytes.length; at += size) reader.sent(bytes.subarray(at, at + size));
    expect(reader).toMatchObject({ started: true, encrypted: false, statements: 3, roundTrips: 2 });
  }
});

it('knows a connection that is encrypted from one that was refused encryption', () => {
  const encrypted = new FrontendReader();
  encrypted.sent(first(SSL));
  encrypted.received(Buffer.from('S'));
  encrypted.sent(typed('Q', 'not readable'));
  expect(encrypted).toMatchObject({ encrypted: true, statements: 0 });

  const plain = new FrontendReader();
  plain.sent(first(SSL));
  plain.received(Buffer.from('N'));
  plain.sent(Buffer.concat([first(STARTUP, 'x\0'), typed('Q', 'SELECT 1\0')]));
  expect(plain).toMatchObject({ encrypted: false, started: true, statements: 1 });
});

it('shares a script equally, each part with the settings of its head', () => {
  const script = [
    '\\set ON_ERROR_STOP on',
    'SET a = 1;',
    ...['a', 'b', 'c', 'd', 'e'].flatMap((name) => ['', `-- Tenant ${name}: 1 change`, `CREATE ${name};`]),
  ].join('\n');
  const parts = shares(script, 2);
  expect(parts.map((part) => part.match(/CREATE \w/gu))).toEqual([
    ['CREATE a', 'CREATE b', 'CREATE c'],
    ['CREATE d', 'CREATE e'],
  ]);
  for (const part of parts) expect(part.startsWith('\\set ON_ERROR_STOP on\nSET a = 1;\n')).toBe(true);
  expect(shares(script, 1)).toEqual([script]);
  expect(shares(script, 9)).toHaveLength(5);
});

it('gives median, least and greatest of even and odd numbers of runs', () => {
  expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
  expect(spread([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
});

const SECONDS: Readonly<Record<string, number>> = {
  ...{ plan: 6, 'plan-extensions': 1, 'plan-floor': 2, probing: 50, help: 0.4, validate: 0.6 },
  ...{ 'apply-1': 3, 'apply-floor-1': 2, 'apply-4': 3.2, 'apply-floor-4': 2, 'provision-library': 0.1 },
};
const figuresOf = (tenants: number): readonly Figure[] =>
  Object.entries(SECONDS).map(([id, value]) => ({
    ...{ id, label: id, tenants: id === 'probing' ? Math.min(tenants, 1000) : tenants },
    ...{ seconds: spread([value]), runs: [value], peakMemory: id === 'plan' ? 250_000_001 : 1, wire: null },
  }));
const verdicts = (tenants: number) =>
  Object.fromEntries(targetsOf(figuresOf(tenants), tenants).map((target) => [target.id, target.met]));

it('holds figures against the promises for their size of fleet', () => {
  expect(verdicts(1000)).toEqual({
    'extensions-against-probing': true,
    'plan-against-floor': true,
    'plan-seconds': null,
    memory: false,
    'apply-against-psql-1': true,
    'apply-against-psql-4': false,
    provision: true,
    help: true,
    validate: false,
  });
  expect(verdicts(6)).toMatchObject({ 'extensions-against-probing': null, 'plan-against-floor': null, help: true });
});

it('says of a promise that is not kept what the floors alone come to', () => {
  const floors = targetsOf(figuresOf(1000), 1000).flatMap(({ id, floor }) => (floor === null ? [] : [[id, floor]]));
  expect(floors).toEqual([
    ['apply-against-psql-1', 2],
    ['apply-against-psql-4', 2],
  ]);
});

it('judges no promise about what was not measured', () => {
  const plans = figuresOf(1000).filter(({ id }) => !/apply|provision/u.test(id));
  expect(targetsOf(plans, 1000).map(({ id }) => id)).toEqual([
    ...['extensions-against-probing', 'plan-against-floor', 'plan-seconds', 'memory', 'help', 'validate'],
  ]);
});

it('reckons the probing of a larger fleet from the tenants that were probed', () => {
  const [target] = targetsOf(figuresOf(10_000), 10_000);
  expect(target).toMatchObject({ id: 'extensions-against-probing', limit: 150, measured: 500, met: true });
});

it('refuses sizes that are no numbers', () => {
  expect(benchOptions([])).toMatchObject({ size: { tenants: 1000, banks: 3 }, runs: 3, databaseUrl: null });
  expect(() => benchOptions(['--tenants', '1k'])).toThrow(/--tenants must be a whole number from 1 to 99999, not 1k/u);
  expect(() => benchOptions(['--tenant', '5'])).toThrow(TypeError);
});

it('knows every flag that its usage names', () => {
  const flags = [...USAGE.matchAll(/^ {2}(--[a-z-]+)( [A-Z]+)?/gmu)];
  expect(flags.length).toBe(9);
  for (const [, flag = '', value] of flags)
    expect(() => benchOptions(value === undefined ? [flag] : [flag, value === ' N' ? '7' : 'x'])).not.toThrow();
  expect(benchOptions(['--help'])).toMatchObject({ help: true });
});
