import { afterAll, expect, it } from 'vitest';
import type { ApplyEvent } from '../../src/apply/events.js';
import { checkPlan } from '../../src/apply/saved-plan.js';
import { planFileOf } from '../../src/plan/plan-file-write.js';
import type { FleetOptions } from '../support/fleet.js';
import { itemsTenant, writeItems } from '../support/items.js';
import { fleetOnServer } from '../support/server-fleet.js';
import { itemsMember, shopState, shopTenant } from '../support/shop-fleet.js';

const on = fleetOnServer();
const items = writeItems();
afterAll(() => items.remove());

/** Applies what a plan of before approves, as the command does with its file. */
async function applySaved(saved: ReturnType<typeof planFileOf>, { run, ...options }: FleetOptions) {
  const { plan, approved } = checkPlan(saved, await on.fleet.plan(options));
  return on.fleet.apply({ ...options, run: { ...run, approved } }, plan);
}

it('R6: a rebuild whose swap does not get its lock at first is made by the same saved plan', async () => {
  await on.database.exec(`${itemsTenant('t', { rows: 3, without: ['items_name'] })}
    CREATE INDEX items_name ON t.items (id);`);
  const options = { directory: items.directory, schemas: ['t'] };
  const saved = planFileOf(await on.fleet.plan(options), '0.1.0');
  const other = await on.database.connect();
  const events: ApplyEvent[] = [];
  try {
    // It keeps the old index from being renamed, and no build from being made beside it.
    await other.query('BEGIN; ALTER INDEX t.items_name SET (fillfactor = 80)');
    const observe = (event: ApplyEvent) => {
      events.push(event);
      if (event.kind === 'retry') void other.query('ROLLBACK');
    };
    const outcome = await applySaved(saved, { ...options, run: { observe } });
    expect(events.filter(({ kind }) => kind === 'retry')).toMatchObject([{ failure: { sqlstate: '55P03' } }]);
    expect(outcome.tenants).toMatchObject([{ outcome: 'converged', error: null }]);
  } finally {
    await other.end();
  }
});

it('R8: rows that stand in another order than when the plan was made are no change', async () => {
  const shops = ['a', 'b', 'c'];
  await on.database.exec(`${shopTenant('s', shops)}
    ${shops.map((shop) => `DROP INDEX s.${itemsMember(shop)};`).join('')}
    INSERT INTO s.items SELECT 'a', 1, 'old', '{}' FROM generate_series(1, 3);`);
  const options = { directory: shopState(), schemas: ['s'] };
  const saved = planFileOf(await on.fleet.plan(options), '0.1.0');
  await on.database.exec(`UPDATE s.shops SET no = no WHERE id = 'a'`);
  const outcome = await applySaved(saved, options);
  expect(outcome.tenants).toMatchObject([{ outcome: 'converged', error: null }]);
});

it('R8: an index that has served a query since is no change', async () => {
  await on.database.exec(
    `${shopTenant('u', ['a', 'b'])} DELETE FROM u.shops; INSERT INTO u.items VALUES ('a', 1, 'old', '{}');`,
  );
  const options = { directory: shopState(), schemas: ['u'] };
  const saved = planFileOf(await on.fleet.plan(options), '0.1.0');
  const query = `SELECT FROM u.items WHERE body @> '{"a": 1}' AND kind = 'old' AND shop = 'a'`;
  await on.database.exec(`SET enable_seqscan = off; ${query}; SELECT pg_stat_force_next_flush()`);
  const scanned = `SELECT indexrelname "name" FROM pg_stat_user_indexes WHERE schemaname = 'u' AND idx_scan > 0 AND relname = 'items'`;
  await expect.poll(() => on.database.query(scanned)).toEqual([{ name: itemsMember('a') }]);
  const outcome = await applySaved(saved, options);
  expect(outcome.tenants).toMatchObject([{ outcome: 'converged', error: null }]);
});

it('R9: a plan of another trueup is good where the statements are the same, and else no edit is laid to anyone', async () => {
  await on.database.exec(itemsTenant('v', { rows: 3, without: ['items_name'] }));
  const options = { directory: items.directory, schemas: ['v'] };
  const saved = planFileOf(await on.fleet.plan(options), '0.0.9');
  const text = JSON.stringify(saved);
  expect(text).toContain('CREATE INDEX CONCURRENTLY');
  const other = JSON.parse(text.replace('CREATE INDEX CONCURRENTLY', 'CREATE INDEX')) as typeof saved;
  await expect(applySaved(other, options)).rejects.toMatchObject({
    code: 'PLAN_FILE_MISMATCH',
    message: expect.stringContaining('or the trueup that made it (0.0.9) makes other statements than this one'),
  });
  const outcome = await applySaved(saved, options);
  expect(outcome.tenants).toMatchObject([{ outcome: 'converged', error: null }]);
});
