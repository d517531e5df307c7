import { afterAll, beforeAll, expect, it } from 'vitest';
import { applyFleet } from '../../src/apply/apply-fleet.js';
import { runDefaults } from '../../src/apply/request.js';
import { openDatabase } from '../../src/database/open-database.js';
import { resolveTarget } from '../../src/database/target.js';
import { planFleet } from '../../src/plan/plan-fleet.js';
import { NO_PROGRESS } from '../../src/progress.js';
import { catalogOf } from '../support/catalog.js';
import { changesOf, type FleetUnderTest, loadShipped, openFleet } from '../support/fleet.js';
import { loadReferenceTenant, referenceTenantSql } from '../support/reference-tenant.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let test: TestDatabase;
let fleet: FleetUnderTest;
const role = `owner_${process.pid}_${Date.now()}`;

beforeAll(async () => {
  test = await createTestDatabase();
  await test.exec(`CREATE ROLE ${role} NOLOGIN; GRANT CREATE ON DATABASE ${test.name} TO ${role}`);
  fleet = await openFleet(test.url);
});
afterAll(async () => {
  await fleet?.close();
  await test?.exec(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  await test?.drop();
});

const owners = (schema: string) =>
  test.query<{ owner: string }>(
    `select distinct pg_get_userbyid(relowner) owner from pg_class where relnamespace = $1::regnamespace
      union select pg_get_userbyid(nspowner) from pg_namespace where oid = $1::regnamespace`,
    [schema],
  );

/** Provisions under `--role`. */
async function provisionAs(setRole: string | undefined, schema: string, createSchema = true) {
  const target = resolveTarget({ databaseUrl: test.url, environment: {}, variables: [] });
  const database = await openDatabase(target, { id: 'main', maxSessions: 2, role: setRole });
  try {
    const request = {
      desired: await loadShipped(),
      selection: { schemas: [schema], exclude: [], allowEmpty: false, allowAbsent: createSchema },
      allow: new Set<never>(),
      progress: NO_PROGRESS,
      ...runDefaults(),
      concurrency: 1,
    };
    return await applyFleet(database, await planFleet(database, request), request);
  } finally {
    await database.close();
  }
}

it('C1: makes a schema with its tables, indexes and release stamp, which is in sync from then on', async () => {
  const plan = await fleet.plan({ schemas: ['fresh'], createSchema: true });
  expect(plan.summary).toMatchObject({ tenants: 1, drifted: 1, blocked: 0 });
  const changes = changesOf(plan, 'fresh');
  expect(changes[0]).toMatch(/^create-schema /u);
  expect(changes.at(-1)).toBe('stamp-release alembic_version.version_num pending');
  expect((await test.query(`select from pg_namespace where nspname = 'fresh'`)).length).toBe(0);

  const outcome = await fleet.apply({ schemas: ['fresh'], createSchema: true });
  expect(outcome.summary).toMatchObject({ tenants: 1, converged: 1 });
  expect(await test.query('select version_num from fresh.alembic_version')).toEqual([{ version_num: 'd1e2f3a4b5c6' }]);
  expect((await fleet.plan()).summary).toMatchObject({ tenants: 1, inSync: 1, drifted: 0 });
  fleet.forget();
  expect((await fleet.apply({ schemas: ['fresh'], createSchema: true })).summary).toMatchObject({ inSync: 1 });
  expect(fleet.statements.filter((sql) => /^\s*(create|alter|drop|insert)\b/iu.test(sql))).toEqual([]);
});

it('C1: takes one connection, whatever is allowed: nobody can wait behind what nobody knows of', async () => {
  await fleet.anew();
  const outcome = await fleet.apply({ schemas: ['alone'], createSchema: true, concurrency: 4 });
  expect(outcome.summary).toMatchObject({ converged: 1 });
  const begun = fleet.statements.filter((sql) =>
    sql.startsWith("SELECT pg_catalog.current_setting('server_version_num')"),
  );
  expect(begun).toHaveLength(1);
  await test.exec('DROP SCHEMA alone CASCADE');
});

it.runIf(referenceTenantSql('x') !== null)('C1: equals the reference tenant object by object', async () => {
  await loadReferenceTenant(test, 'model');
  const [made, model] = [await catalogOf(test, 'fresh'), await catalogOf(test, 'model')];
  for (const kind of Object.keys(model) as (keyof typeof model)[]) {
    expect(model[kind].length, kind).toBeGreaterThan(0);
    expect(made[kind], kind).toEqual(model[kind]);
  }
});

it('C1: belongs to the role that --role sets', async () => {
  expect((await provisionAs(role, 'by_role')).summary).toMatchObject({ converged: 1 });
  expect(await owners('by_role')).toEqual([{ owner: role }]);
});

it('C1: tables made in a schema that exists belong to its owner, whoever runs trueup', async () => {
  await test.exec(`CREATE SCHEMA theirs AUTHORIZATION ${role}`);
  expect((await provisionAs(undefined, 'theirs', false)).summary).toMatchObject({ converged: 1 });
  expect(await owners('theirs')).toEqual([{ owner: role }]);
  expect((await fleet.plan({ schemas: ['theirs'] })).summary).toMatchObject({ inSync: 1 });
});

it('C1: a table that is missing belongs to the owner of the others', async () => {
  await test.exec('DROP TABLE theirs.memory_links; DROP MATERIALIZED VIEW theirs.memory_units_bm25');
  await fleet.apply({ schemas: ['theirs'] });
  expect(await owners('theirs')).toEqual([{ owner: role }]);
});

it('C1: stamps the release of a schema that was made ahead, and of no other', async () => {
  const stamp = 'select version_num from theirs.alembic_version';
  expect(await test.query(stamp)).toEqual([{ version_num: 'd1e2f3a4b5c6' }]);
  await test.exec('DROP TABLE theirs.alembic_version');
  expect((await fleet.apply({ schemas: ['theirs'] })).summary).toMatchObject({ converged: 1 });
  expect(await test.query(stamp)).toEqual([]);
});

it('C1: takes --set for the width of what it makes, which a default changes no more', async () => {
  const load = { parameters: { embedding_dimension: '768' } };
  await fleet.provision(['wide'], { load });
  expect(
    await test.query(
      `select format_type(atttypid, atttypmod) "type" from pg_attribute where attrelid = 'wide.memory_units'::regclass and attname = 'embedding'`,
    ),
  ).toEqual([{ type: 'vector(768)' }]);
  expect((await fleet.plan({ schemas: ['wide'] })).summary).toMatchObject({ inSync: 1 });
});
