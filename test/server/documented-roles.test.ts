import { afterAll, beforeAll, expect, it } from 'vitest';
import type { FleetPlan } from '../../src/plan/fleet-plan.js';
import { blocksOf } from '../support/docs.js';
import { changesOf, type FleetUnderTest, openFleet } from '../support/fleet.js';
import { type SmallFleet, smallFleet } from '../support/small-fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let test: TestDatabase;
let small: SmallFleet;
let suffix: string;

beforeAll(async () => {
  test = await createTestDatabase();
  small = smallFleet();
  suffix = test.name.slice(-16);
  const owner = `app_owner_${suffix}`;
  await test.exec(`CREATE ROLE ${owner}; ${small.tenant('tenant_a', 3)};
    ALTER SCHEMA tenant_a OWNER TO ${owner}; ALTER TABLE tenant_a.notes OWNER TO ${owner}`);
  await test.exec(documented('docs/operations.md'));
});

afterAll(async () => {
  for (const role of ['trueup_plan', 'trueup_apply', 'app_owner'])
    await test?.exec(`DROP OWNED BY ${role}_${suffix} CASCADE; DROP ROLE ${role}_${suffix}`);
  await test?.drop();
  small?.remove();
});

/** The roles of a page, by names of this test's own: they belong to the whole server. */
const documented = (page: string): string =>
  blocksOf(page, 'sql')
    .join('')
    .replaceAll(/\b(?:trueup_plan|trueup_apply|app_owner)\b/gu, (role) => `${role}_${suffix}`);

async function as<T>(role: string, work: (fleet: FleetUnderTest) => Promise<T>): Promise<T> {
  const fleet = await openFleet(test.urlFor(`${role}_${suffix}`));
  try {
    return await work(fleet);
  } finally {
    await fleet.close();
  }
}

it('docs/operations.md: its role for plan plans, and may not apply; its role for apply converges, for the owner', async () => {
  const options = { directory: small.directory };
  const pending = ['create-index notes.notes_slow pending'];
  expect(changesOf(await as('trueup_plan', (fleet) => fleet.plan(options)), 'tenant_a')).toEqual(pending);
  const refused = await as('trueup_plan', (fleet) => fleet.apply(options));
  expect(refused.summary).toMatchObject({ failed: 1, converged: 0 });
  expect((await as('trueup_apply', (fleet) => fleet.apply(options))).summary).toMatchObject({ converged: 1 });
  const [index] = await test.query(
    "SELECT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE relname = 'notes_slow'",
  );
  expect(index).toEqual({ owner: `app_owner_${suffix}` });
});

it('a role that owns some of the tables that are to be changed is warned of the others, which fail alone', async () => {
  const stranger = `stranger_${suffix}`;
  await test.exec(`CREATE ROLE ${stranger}; ${small.tenant('tenant_b', 3)} ${small.tenant('tenant_c', 3)}
    ALTER SCHEMA tenant_b OWNER TO app_owner_${suffix}; ALTER TABLE tenant_b.notes OWNER TO app_owner_${suffix};
    GRANT USAGE, CREATE ON SCHEMA tenant_c TO app_owner_${suffix}; ALTER TABLE tenant_c.notes OWNER TO ${stranger}`);
  const options = { directory: small.directory };
  const warned = (plan: FleetPlan) => plan.databases[0]?.diagnostics.map(({ code, message }) => [code, message]);
  try {
    expect(warned(await as('trueup_plan', (fleet) => fleet.plan(options)))).toEqual([]);
    expect(warned(await as('trueup_apply', (fleet) => fleet.plan(options)))).toEqual([
      ['NOT_THE_OWNER', expect.stringMatching(/of role stranger_\w+, .* in 1 tenant \(tenant_c\): apply would fail/u)],
    ]);
    const outcome = await as('trueup_apply', (fleet) => fleet.apply(options));
    expect(outcome.summary).toMatchObject({ converged: 1, failed: 1 });
  } finally {
    await test.exec(`DROP SCHEMA tenant_b, tenant_c CASCADE; DROP ROLE ${stranger}`);
  }
});

it('docs/github-action.md: its role plans', async () => {
  const role = `trueup_plan_${suffix}`;
  await test.exec(`DROP OWNED BY ${role}; DROP ROLE ${role}; ${documented('docs/github-action.md')}`);
  const plan = await as('trueup_plan', (fleet) => fleet.plan({ directory: small.directory }));
  expect(plan.summary).toMatchObject({ tenants: 1, unreadable: 0 });
});
