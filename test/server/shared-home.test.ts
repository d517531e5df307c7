import { beforeAll, describe, expect, it } from 'vitest';
import { changesOf, itemsOf } from '../support/fleet.js';
import { inspected } from '../support/inspected.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const on = fleetOnServer();
const exec = (sql: string) => on.database.exec(sql);

/** Every tenant's shops are of a plan that the base schema keeps, where it is a tenant too. */
const state = (references: string, base = 'public') =>
  temporaryDesiredState({
    'fleet.yaml': `version: 1\ntenants: { base_schema: { default: ${base} }, having_tables: [plans, shops] }\nphases: [{ name: base, file: base.yaml }]`,
    'base.yaml': `
tables:
  shops:
    columns: { id: { type: int, nullable: false }, plan: text }
    primary_key: { name: shops_pkey, columns: [id] }
    foreign_keys: [{ name: shops_plan, columns: [plan], references: { ${references}, columns: [code] } }]
  plans:
    columns: { code: { type: text, nullable: false } }
    primary_key: { name: plans_pkey, columns: [code] }
`,
  });
const SHARED = state('schema: public, table: plans');
const OWN = state('table: plans');

const keys = () =>
  on.database.query(`
    select n.nspname "of", fn.nspname "onto" from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
      join pg_class f on f.oid = k.confrelid join pg_namespace fn on fn.oid = f.relnamespace
     where k.conname = 'shops_plan' order by 1`);

describe('a schema that is a tenant and holds what all tenants share', () => {
  it('as a new tenant refers to its own table, which it makes first; others wait for it', async () => {
    const options = { directory: SHARED, createSchema: true };
    const early = await on.fleet.apply({ ...options, schemas: ['t1'] });
    expect(early.tenants).toMatchObject([{ outcome: 'partial' }]);
    expect(early.tenants[0]?.changes.map(({ item }) => item.change.obstacle).filter((why) => why !== null)).toEqual([
      'there is no table public.plans',
    ]);
    const together = await on.fleet.apply({ ...options, schemas: ['public', 't2'] });
    expect(Object.fromEntries(together.tenants.map(({ schema, outcome }) => [schema, outcome]))).toEqual({
      public: 'converged',
      t2: 'partial',
    });
    expect((await on.fleet.apply({ ...options, schemas: ['t1', 't2'] })).summary).toMatchObject({ converged: 2 });
    expect(await keys()).toEqual(['public', 't1', 't2'].map((of) => ({ of, onto: 'public' })));
    const plan = await on.fleet.plan({ directory: SHARED });
    expect(plan.summary).toMatchObject({ tenants: 3, inSync: 3 });
  });

  it('is in sync by either way of writing, where the others are not', async () => {
    const plan = await on.fleet.plan({ directory: OWN });
    expect(['public', 't1', 't2'].map((schema) => changesOf(plan, schema).length)).toEqual([0, 1, 1]);
  });

  it('is not taken for one that refers to its own table and is another', async () => {
    await exec(`ALTER TABLE t2.shops DROP CONSTRAINT shops_plan;
      ALTER TABLE t2.shops ADD CONSTRAINT shops_plan FOREIGN KEY (plan) REFERENCES t2.plans`);
    const plan = await on.fleet.plan({ directory: SHARED });
    expect(['public', 't1', 't2'].map((schema) => changesOf(plan, schema))).toEqual([
      [],
      [],
      ['replace-constraint shops.shops_plan pending'],
    ]);
    expect(itemsOf(plan, 't2')[0]?.change.reason).toMatch(/references plans .*, declared .*references public\.plans/u);
    expect((await on.fleet.apply({ directory: SHARED })).summary).toMatchObject({ converged: 1, inSync: 2 });
    expect((await on.fleet.plan({ directory: SHARED })).summary).toMatchObject({ inSync: 3 });
  });

  it('is made of its own, where it and another are made together of nothing', async () => {
    const options = {
      directory: state('schema: hub, table: plans', 'hub'),
      schemas: ['hub', 'spoke'],
      createSchema: true,
    };
    const outcomes = async () =>
      Object.fromEntries((await on.fleet.apply(options)).tenants.map(({ schema, outcome }) => [schema, outcome]));
    expect(await outcomes()).toEqual({ hub: 'converged', spoke: 'partial' });
    expect(await outcomes()).toEqual({ hub: 'in-sync', spoke: 'converged' });
    await exec('DROP SCHEMA spoke CASCADE; DROP SCHEMA hub CASCADE');
  });

  it('gets back a key that it lost', async () => {
    await exec('ALTER TABLE public.shops DROP CONSTRAINT shops_plan');
    expect((await on.fleet.apply({ directory: SHARED })).summary).toMatchObject({ converged: 1, inSync: 2 });
    expect((await on.fleet.plan({ directory: SHARED })).summary).toMatchObject({ inSync: 3 });
  });
});

describe('an inspected tenant', () => {
  beforeAll(() =>
    exec(`CREATE SCHEMA "Shared \${x}"; CREATE TABLE "Shared \${x}"."Countries" (code text, part int, PRIMARY KEY (code, part));
      CREATE SCHEMA seen; CREATE TABLE seen.shops (id int PRIMARY KEY, plan text REFERENCES public.plans ON DELETE CASCADE, country text, part int,
        CONSTRAINT both_ways FOREIGN KEY (country, part) REFERENCES "Shared \${x}"."Countries" MATCH FULL);
      CREATE TABLE seen.lines (shop int REFERENCES seen.shops)`),
  );

  it('declares its keys onto tables of other schemas, and is in sync by these files', async () => {
    const found = await inspected(on.fleet.database, 'seen');
    expect(found.text('base.yaml')).toContain('references: { schema: public, table: plans, columns: [ code ] }');
    expect(found.notes).toEqual([]);
    const plan = await on.fleet.plan({ directory: found.directory, schemas: ['seen'] });
    expect(changesOf(plan, 'seen')).toEqual([]);
    await exec('ALTER TABLE seen.shops DROP CONSTRAINT both_ways');
    expect((await on.fleet.apply({ directory: found.directory, schemas: ['seen'] })).tenants).toMatchObject([
      { outcome: 'converged' },
    ]);
  });

  it('that holds what others share, writes its own tables as its own', async () => {
    const found = await inspected(on.fleet.database, 'public');
    expect(found.text('base.yaml')).toContain('references: { table: plans, columns: [ code ] }');
  });
});
