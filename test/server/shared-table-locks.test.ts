import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/apply/request.js';
import { openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const on = fleetOnServer();
const exec = (sql: string) => on.database.exec(sql);

const state = (keys: string, type = 'text') =>
  temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [shops] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': `
tables:
  shops:
    columns: { id: { type: int, nullable: false }, country: "${type}" }
    primary_key: { name: shops_pkey, columns: [id] }
${keys}`,
  });
const BARE = state('');
const FILES = state(
  '    foreign_keys: [{ name: shops_country, columns: [country], references: { schema: shared, table: countries, columns: [code] } }]\n',
);

const roles: string[] = [];
beforeAll(() => exec('CREATE SCHEMA shared; CREATE TABLE shared.countries (code text PRIMARY KEY, name text)'));
afterAll(async () => {
  for (const role of roles) await exec(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
});

it('a tenant waits for writers of the shared table no longer than its budget, and says who they are', async () => {
  await on.fleet.provision(['waits'], { directory: BARE });
  const options = { directory: FILES, schemas: ['waits'], run: { limits: { ...DEFAULT_LIMITS, attempts: 1 } } };
  const writer = await on.database.connect();
  try {
    await writer.query("BEGIN; INSERT INTO shared.countries VALUES ('it', 'Italy')");
    const pid = (await writer.query('SELECT pg_backend_pid() pid')).rows[0]?.pid;
    const [tenant] = (await on.fleet.apply(options)).tenants;
    expect(tenant?.error).toMatchObject({ sqlstate: '55P03' });
    expect(tenant?.error?.message).toContain(`process ${pid}`);
  } finally {
    await writer.query('ROLLBACK');
    await writer.end();
  }
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged' }]);
});

it('a column of such a key that becomes wider waits for readers of the shared table no longer either, and names them', async () => {
  const keyed = (type: string) =>
    state(
      `    foreign_keys: [{ name: shops_country, columns: [country], references: { schema: shared, table: countries, columns: [code] } }]\n`,
      type,
    );
  await on.fleet.provision(['widens'], { directory: keyed('varchar(10)') });
  const limits = { ...DEFAULT_LIMITS, attempts: 1 };
  const options = { directory: keyed('varchar(20)'), schemas: ['widens'], run: { limits } };
  const reader = await on.database.connect();
  try {
    await reader.query('BEGIN; SELECT FROM shared.countries');
    const pid = (await reader.query('SELECT pg_backend_pid() pid')).rows[0]?.pid;
    const [tenant] = (await on.fleet.apply(options)).tenants;
    expect(tenant?.error?.message).toContain(`process ${pid}`);
  } finally {
    await reader.query('ROLLBACK');
    await reader.end();
  }
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged' }]);
});

it('tenants that are changed at once, and new ones, lock it one after another, and its writers go on between them', async () => {
  const schemas = Array.from({ length: 24 }, (_, at) => `at_once_${at}`);
  await on.fleet.provision(schemas, { directory: BARE });
  for (const schema of schemas.slice(12)) await exec(`INSERT INTO ${schema}.shops VALUES (1, NULL)`);
  const deadlocks = async () =>
    (await on.database.query('SELECT deadlocks::int4 n FROM pg_stat_database WHERE datname = current_database()'))[0]
      ?.n;
  const before = await deadlocks();
  const writer = await on.database.connect();
  let running = true;
  const waits: number[] = [];
  const writing = (async () => {
    while (running) {
      const since = performance.now();
      await writer.query(
        "INSERT INTO shared.countries VALUES ('es', 'Spain') ON CONFLICT (code) DO UPDATE SET name = 'España'",
      );
      waits.push(performance.now() - since);
    }
  })();
  try {
    const applied = await on.fleet.apply({ directory: FILES, schemas, concurrency: 4 });
    expect(applied.summary).toMatchObject({ converged: 24, failed: 0 });
    const made = Array.from({ length: 12 }, (_, at) => `new_at_once_${at}`);
    const outcome = await on.fleet.apply({ directory: FILES, schemas: made, concurrency: 4, createSchema: true });
    expect(outcome.summary).toMatchObject({ converged: 12, failed: 0 });
  } finally {
    running = false;
    await writing;
    await writer.end();
  }
  expect(Math.max(...waits)).toBeLessThan(1000);
  expect(waits.length).toBeGreaterThan(36);
  expect(await deadlocks()).toBe(before);
});

it('a role that may not refer to it is told so by plan, and by apply with what to grant', async () => {
  const role = `keeper_${on.database.name.slice(-12)}`;
  roles.push(role);
  await on.fleet.provision(['kept'], { directory: BARE });
  await exec(`CREATE ROLE ${role} LOGIN; GRANT USAGE ON SCHEMA shared TO ${role};
    ALTER SCHEMA kept OWNER TO ${role}; ALTER TABLE kept.shops OWNER TO ${role}`);
  const fleet = await openFleet(on.database.urlFor(role));
  const options = { directory: FILES, schemas: ['kept'] };
  const told = (plan: Awaited<ReturnType<typeof fleet.plan>>) =>
    plan.databases.flatMap(({ diagnostics }) => diagnostics.map(({ code, message }) => [code, message]));
  const remedy = 'grant the role REFERENCES on shared.countries, and USAGE on its schema, or name another with --role';
  try {
    expect(told(await fleet.plan(options))).toEqual([
      [
        'NOT_REFERABLE',
        `role ${role} may not make foreign keys onto shared.countries: apply as that role would fail where one is to be made`,
      ],
    ]);
    const [tenant] = (await fleet.apply(options)).tenants;
    expect(tenant?.error).toMatchObject({
      message: 'permission denied for table countries; the role may not make foreign keys onto shared.countries',
      remedy,
    });
    await exec(`GRANT REFERENCES (code) ON shared.countries TO ${role}`);
    expect(told(await fleet.plan(options))).toEqual([]);
    expect((await fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
  } finally {
    await fleet.close();
  }
});
