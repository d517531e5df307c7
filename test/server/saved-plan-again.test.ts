import { expect, it } from 'vitest';
import { checkPlan } from '../../src/apply/saved-plan.js';
import { planFileOf } from '../../src/plan/plan-file-write.js';
import type { FleetOptions } from '../support/fleet.js';
import { fleetOnServer } from '../support/server-fleet.js';
import { itemsMember, shopState, shopTenant } from '../support/shop-fleet.js';

const on = fleetOnServer();

/** Applies what a plan of before approves, as the command does with its file. */
async function applySaved(saved: ReturnType<typeof planFileOf>, options: FleetOptions) {
  const { plan, approved } = checkPlan(saved, await on.fleet.plan(options));
  return on.fleet.apply({ ...options, run: { approved } }, plan);
}

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
