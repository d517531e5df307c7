import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ApplyEvent } from '../../src/apply/events.js';
import { DEFAULT_LIMITS } from '../../src/apply/request.js';
import { type FleetUnderTest, openFleet } from '../support/fleet.js';
import { itemsTenant, writeItems } from '../support/items.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const ROWS = 30_000;
const YIELD_AFTER = 3000;
/** Two looks of the watch, the cancellation, and a busy machine. */
const REACTION = 1000;

const items = writeItems();
let database: TestDatabase;
let fleet: FleetUnderTest;
beforeAll(async () => {
  // Over a hundred kilobytes a row to go through: the build takes many seconds, whatever the machine.
  appendFileSync(
    join(items.directory, 'base.yaml'),
    `      - { name: items_slow, keys: [{ expression: "char_length(repeat(name, 4000))" }] }\n`,
  );
  database = await createTestDatabase();
  await database.exec(itemsTenant('t', { rows: ROWS }));
  fleet = await openFleet(database.url);
});
afterAll(async () => {
  await fleet?.close();
  await database?.drop();
  items.remove();
});

it('R15: a build gives way to a session that has waited behind it for as long as was said, and is made later', async () => {
  const events: ApplyEvent[] = [];
  let building = () => {};
  const built = new Promise<void>((resolve) => {
    building = resolve;
  });
  const limits = { ...DEFAULT_LIMITS, yieldAfter: YIELD_AFTER };
  const observe = (event: ApplyEvent) => {
    events.push(event);
    if (event.kind === 'build-progress' && event.phase.startsWith('building') && event.done > 0) building();
  };
  const applied = fleet.apply({ directory: items.directory, run: { limits, observe } });
  await built;
  // The estimate of how long the build goes on needs two looks.
  await sleep(700);
  const application = await database.connect();
  const from = performance.now();
  await application.query('BEGIN; LOCK TABLE t.items IN SHARE MODE');
  const waited = performance.now() - from;
  await application.query('COMMIT');
  expect(waited).toBeGreaterThan(YIELD_AFTER - 600);
  expect(waited).toBeLessThan(YIELD_AFTER + REACTION);
  const outcome = await applied;
  expect(outcome.tenants).toMatchObject([{ schema: 't', outcome: 'converged', error: null }]);
  const yielded = events.filter((event) => event.kind === 'build-yielded');
  expect(yielded).toMatchObject([{ schema: 't', index: 'items_slow' }]);
  expect(await database.query('SELECT indexrelid FROM pg_index WHERE NOT indisvalid')).toEqual([]);
}, 120_000);
