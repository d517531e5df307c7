import { afterAll, beforeAll, expect, it } from 'vitest';
import { createMember, insertBank, KINDS } from '../support/banks.js';
import { changesOf, type FleetUnderTest, openFleet } from '../support/fleet.js';
import { inspected } from '../support/inspected.js';
import { loadReferenceTenant, referenceTenantSql } from '../support/reference-tenant.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let test: TestDatabase;
let fleet: FleetUnderTest;
beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
});
afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

it.runIf(referenceTenantSql('x') !== null)('the reference tenant, inspected, is in sync', async () => {
  await loadReferenceTenant(test, 'ref_a');
  await loadReferenceTenant(test, 'ref_b');
  const found = await inspected(fleet.database, 'ref_a');
  console.log(found.text('fleet.yaml'), found.text('base.yaml'), found.notes);
  const plan = await fleet.plan({ directory: found.directory });
  expect(plan.summary).toMatchObject({ tenants: 2, inSync: 2 });
});

it('a tenant with banks', async () => {
  await fleet.provision(['one', 'two']);
  for (const n of [1, 2]) {
    await test.exec(insertBank('one', n, `bank ${n} o'brien`));
    for (const { code } of KINDS) await test.exec(createMember('one', n, `bank ${n} o'brien`, code));
  }
  const found = await inspected(fleet.database, 'one');
  console.log(found.text('base.yaml').slice(found.text('base.yaml').indexOf('index_families') - 300).slice(0, 1500), found.notes);
  const plan = await fleet.plan({ directory: found.directory });
  expect(changesOf(plan, 'one')).toEqual([]);
  expect(plan.summary).toMatchObject({ inSync: plan.summary.tenants });
});
