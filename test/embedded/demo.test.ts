import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEmbedded } from '../../src/database/embedded-database.js';
import type { Database } from '../../src/database/session.js';
import { demoDirectory } from '../../src/demo/directory.js';
import { type DemoDrift, DRIFTS } from '../../src/demo/drift.js';
import { TENANTS } from '../../src/demo/fleet.js';
import { type DemoResult, hasPending, runDemo } from '../../src/demo/run-demo.js';
import type { Change } from '../../src/diff/change.js';
import type { FleetPlan } from '../../src/plan/fleet-plan.js';
import { NO_PROGRESS } from '../../src/progress.js';
import { applyText } from '../../src/report/apply-text.js';
import { NO_COLOR } from '../../src/report/layout.js';
import { planText } from '../../src/report/plan-text.js';
import { blocksOf } from '../support/docs.js';

let database: Database;
let result: DemoResult;
const told: string[] = [];

beforeAll(async () => {
  database = await openEmbedded(null, { id: 'main', maxSessions: 1 });
  result = await runDemo(
    database,
    {
      built: () => told.push('built'),
      planned: () => told.push('planned'),
      applied: () => told.push('applied'),
      plannedAgain: () => told.push('planned again'),
    },
    NO_PROGRESS,
  );
}, 240_000);

afterAll(() => database?.close());

describe('the demonstration', () => {
  test('tells its parts in order', () => {
    expect(told).toEqual(['built', 'planned', 'applied', 'planned again']);
  });

  test('comes out as README shows it', () => {
    const form = { verbose: false, showValues: true, color: NO_COLOR, width: 100 };
    const made = applyText(result.outcome, { ...form, phases: result.plan.desired.phases });
    const printed = `${planText(result.plan, form)}\n\n${made}`;
    const parts = blocksOf('README.md', 'text').flatMap((block) => block.trimEnd().split('\n\n'));
    const places = parts
      .filter((part) => part !== '…' && !part.startsWith('Target: '))
      .map((part) => printed.indexOf(part));
    expect(places.length).toBeGreaterThan(9);
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((left, right) => left - right));
  });

  test.each(DRIFTS)('puts into the plan: $story', (drift) => {
    for (const tenant of drift.tenants) expect(changesOf(result.plan, tenant).some(matches(drift))).toBe(true);
  });

  test('puts nothing else into the plan than what belongs to the drift of each tenant', () => {
    for (const { schema } of TENANTS) {
      const drift = DRIFTS.find((one) => one.tenants.includes(schema));
      const changes = changesOf(result.plan, schema);
      expect(new Set(changes.map((change) => change.table)), schema).toEqual(
        new Set(drift ? [drift.expected.table] : []),
      );
      expect(new Set(changes.map((change) => change.status)), schema).toEqual(
        new Set(drift ? [drift.expected.status] : []),
      );
    }
  });

  test('names the reason by structure: the operator class, the failed build, the missing rows', () => {
    const reason = (schema: string) =>
      changesOf(result.plan, schema)
        .map((change) => change.reason)
        .join('; ');
    expect(reason('ember')).toContain('vector_l2_ops');
    expect(reason('fjord')).toContain('INVALID');
    expect(reason('harbor')).toContain('rows that it was made for are gone');
  });

  test('gives the blocked change the approval that would let it pass, and the deferred one both releases', () => {
    expect(changesOf(result.plan, 'lumen').map((change) => change.remedy)).toEqual([
      expect.stringContaining('--allow rebuild-column'),
    ]);
    expect(changesOf(result.plan, 'maple')[0]?.obstacle).toMatch(/c0a1b2c3d4e5.*d1e2f3a4b5c6/u);
  });

  test.each(DRIFTS.filter((drift) => drift.expected.status === 'pending'))('applies: $story', (drift) => {
    for (const tenant of drift.tenants) {
      expect(outcomeOf(tenant)).toBe('converged');
      expect(changesOf(result.planAfter, tenant)).toEqual([]);
    }
  });

  test.each(DRIFTS.filter((drift) => drift.expected.status !== 'pending'))('leaves for a decision: $story', (drift) => {
    for (const tenant of drift.tenants) {
      expect(outcomeOf(tenant)).toBe(drift.expected.status);
      expect(changesOf(result.planAfter, tenant).some(matches(drift))).toBe(true);
    }
  });

  test('ends with nothing pending, and no index INVALID', async () => {
    expect(hasPending(result.plan)).toBe(true);
    expect(hasPending(result.planAfter)).toBe(false);
    const session = await database.connect();
    const invalid = await session.query('SELECT 1 FROM pg_catalog.pg_index WHERE NOT indisvalid');
    await session.close();
    expect(invalid).toEqual([]);
  });
});

describe('the directory of the demonstration', () => {
  test('is a fresh temporary one unless it is named', () => {
    const [one, other] = [demoDirectory(undefined), demoDirectory(undefined)];
    expect(one).not.toBe(other);
    for (const directory of [one, other]) rmSync(directory, { recursive: true });
  });

  test('may not hold anything: a fleet in it would be damaged', () => {
    const directory = mkdtempSync(join(tmpdir(), 'trueup-test-'));
    expect(demoDirectory(directory)).toBe(directory);
    writeFileSync(join(directory, 'PG_VERSION'), '18\n');
    expect(() => demoDirectory(directory)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    rmSync(directory, { recursive: true });
  });
});

const changesOf = (plan: FleetPlan, schema: string): readonly Change[] =>
  plan.databases
    .flatMap((one) => one.tenants)
    .filter((tenant) => tenant.schema === schema)
    .flatMap((tenant) => tenant.changes.map(({ change }) => change));

const outcomeOf = (schema: string) => result.outcome.tenants.find((tenant) => tenant.schema === schema)?.outcome;

function matches({ expected }: DemoDrift): (change: Change) => boolean {
  return (change) =>
    change.action === expected.action &&
    change.table === expected.table &&
    change.status === expected.status &&
    (expected.object === null ? change.family !== null : change.object === expected.object);
}
