import { beforeAll, describe, expect, it } from 'vitest';
import { changesOf, openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const on = fleetOnServer();

const state = (table: Readonly<Record<string, unknown>>) =>
  temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [orders] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': JSON.stringify({
      extensions: [{ name: 'citext', schema: 'public' }],
      tables: { orders: table },
    }),
  });

/** What the application makes before a tenant's tables. */
async function makeTypes(schema: string): Promise<void> {
  await on.database.exec(`
    CREATE SCHEMA ${schema};
    CREATE TYPE ${schema}.state AS ENUM ('new', 'it''s', 'done');
    CREATE DOMAIN ${schema}.amount AS int CHECK (VALUE > 0);
    CREATE DOMAIN ${schema}.code AS varchar(9);
    CREATE SEQUENCE ${schema}.checks;
    CREATE FUNCTION ${schema}.checked(i int) RETURNS boolean LANGUAGE sql AS 'SELECT nextval(''${schema}.checks'') > 0';
    CREATE DOMAIN ${schema}.counted AS int CHECK (${schema}.checked(VALUE));
    CREATE TYPE ${schema}.size AS (most int, unit text);
    CREATE TYPE ${schema}.counts AS (n ${schema}.counted);
    CREATE FUNCTION ${schema}.made(prefix text) RETURNS text LANGUAGE sql AS 'SELECT prefix'`);
}

beforeAll(() => on.database.exec(`CREATE SCHEMA shared; CREATE TYPE shared.plan AS ENUM ('free', 'paid')`));

const OWN = {
  columns: {
    state: { type: '${schema}.state', default: "'new'" },
    states: { type: '${schema}.state[]', default: "'{}'" },
    plan: { type: 'shared.plan', default: "'free'" },
    amount: { type: '${schema}.amount', default: "'2'" },
    code: { type: '${schema}.code', default: "'x'" },
    amounts: { type: '${schema}.amount[]', default: "'{}'" },
    label: { type: 'text', default: "${schema}.made('ord')" },
    done: { type: 'boolean', generated: "state = 'done'" },
    size: { type: '${schema}.size', default: "ROW(1, 'cm')" },
    sizes: { type: '${schema}.size[]', default: "'{}'" },
    name: 'citext',
    after: 'interval',
  },
  checks: [
    { name: 'orders_state', expression: "state IN ('new', 'it''s') AND after < '1 day 2 hours'" },
    { name: 'orders_states', expression: "'new' = ANY (states) OR state > 'new'" },
    { name: 'orders_amount', expression: 'amount < 100 AND amount <> 7' },
    { name: 'orders_amounts', expression: "amounts <> '{1,2}' AND amounts <> '{3}'::${schema}.amount[]" },
    { name: 'orders_code', expression: "code <> 'q' AND length(code) > 0" },
    {
      name: 'orders_size',
      expression:
        "(size).unit <> 'in' AND size <> '(0,m)'::${schema}.size AND (size).most > 0 OR after > '1 day 2 hours'",
    },
    { name: 'orders_name', expression: "name OPERATOR(public.<>) 'x'" },
  ],
  indexes: [
    { name: 'orders_new', keys: ['amount'], where: "state = 'new' AND plan <> 'paid'" },
    { name: 'orders_sum', keys: [{ expression: "coalesce(state, 'new')" }, { expression: 'amount + 1' }] },
    { name: 'orders_one', keys: ['code'], where: "name OPERATOR(public.=) 'x'" },
  ],
};

describe('expressions over types of the application’s own are judged by the server', () => {
  it('what a tenant was made of is in sync: enums, domains, composite types, in the tenant and shared, and an extension’s operators', async () => {
    await makeTypes('made');
    const options = { directory: state(OWN), schemas: ['made'] };
    expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
    expect(changesOf(await on.fleet.plan(options), 'made')).toEqual([]);
  });

  it('and what means something else is drift', async () => {
    await makeTypes('unlike');
    await on.fleet.apply({ directory: state(OWN), schemas: ['unlike'] });
    await on.database.exec(`
      ALTER TABLE unlike.orders ALTER state SET DEFAULT 'done', ALTER amount SET DEFAULT 3, ALTER amounts SET DEFAULT '{1}',
        ALTER label SET DEFAULT unlike.made('oth'), DROP CONSTRAINT orders_name,
        ADD CONSTRAINT orders_name CHECK (name OPERATOR(public.<>) 'y');
      DROP INDEX unlike.orders_new;
      CREATE INDEX orders_new ON unlike.orders (amount) WHERE state = 'done' AND plan <> 'paid'`);
    await on.database.exec(`
      ALTER TABLE unlike.orders DROP CONSTRAINT orders_amounts, ADD CONSTRAINT orders_amounts CHECK (amounts <> '{1,2}' AND amounts <> '{4}')`);
    expect(changesOf(await on.fleet.plan({ directory: state(OWN), schemas: ['unlike'] }), 'unlike')).toEqual([
      'alter-column orders.state pending',
      'alter-column orders.amount pending',
      'alter-column orders.amounts pending',
      'alter-column orders.label pending',
      'replace-constraint orders.orders_amounts pending',
      'replace-constraint orders.orders_name pending',
      'rebuild-index orders.orders_new pending',
    ]);
  });

  it.each([
    ['a default', { default: "'{2}'" }, {}],
    ['a check', {}, { checks: [{ name: 'orders_n', expression: "n <> '{2}'" }] }],
    ['a cast', {}, { checks: [{ name: 'orders_n', expression: "n <> '{2}'::${schema}.counted[]" }] }],
  ])('no check of a domain runs for %s over an array of them', async (what, column, rest) => {
    const schema = what.replace(' ', '_');
    await makeTypes(schema);
    await on.database.exec(`
      CREATE TABLE ${schema}.orders (n ${schema}.counted[] DEFAULT '{1}', CONSTRAINT orders_n CHECK (n <> '{1}'));
      ALTER SEQUENCE ${schema}.checks RESTART`);
    const declared = state({ columns: { n: { type: '${schema}.counted[]', ...column } }, ...rest });
    expect(changesOf(await on.fleet.plan({ directory: declared, schemas: [schema] }), schema)).not.toEqual([]);
    expect(await on.database.query(`SELECT is_called FROM ${schema}.checks`)).toEqual([{ is_called: false }]);
  });

  it('nor over a composite type of them', async () => {
    await makeTypes('of_counted');
    await on.database.exec(`
      CREATE TABLE of_counted.orders (n of_counted.counts, CONSTRAINT orders_n CHECK (n <> '(1)'::of_counted.counts));
      ALTER SEQUENCE of_counted.checks RESTART`);
    const checks = [{ name: 'orders_n', expression: "n <> '(2)'::${schema}.counts" }];
    const declared = state({ columns: { n: { type: '${schema}.counts' } }, checks });
    expect(changesOf(await on.fleet.plan({ directory: declared, schemas: ['of_counted'] }), 'of_counted')).toEqual([
      'replace-constraint orders.orders_n pending',
    ]);
    expect(await on.database.query('SELECT is_called FROM of_counted.checks')).toEqual([{ is_called: false }]);
  });
});

describe('what the server refuses by the types of one tenant is judged by another’s', () => {
  const both = (schema: string) => [`${schema}_a`, `${schema}_b`];
  const made = async (schemas: readonly string[], directory: string) => {
    for (const schema of schemas) await makeTypes(schema);
    await on.fleet.apply({ directory, schemas });
    return { directory, schemas };
  };

  it('where the role may not look into the first', async () => {
    const options = await made(both('closed'), state(OWN));
    const role = `judge_${on.database.name.slice(-12)}`;
    await on.database.exec(`CREATE ROLE ${role} LOGIN; GRANT USAGE ON SCHEMA closed_b, shared TO ${role}`);
    const fleet = await openFleet(on.database.urlFor(role));
    try {
      expect(changesOf(await fleet.plan(options), 'closed_b')).toEqual([]);
    } finally {
      await fleet.close();
      await on.database.exec(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  it('but not where the role may not look into what all share: that is told once, and is no drift', async () => {
    const options = await made(both('shut'), state(OWN));
    const role = `judge_${on.database.name.slice(-12)}`;
    await on.database.exec(`CREATE ROLE ${role} LOGIN; GRANT USAGE ON SCHEMA shut_a, shut_b TO ${role}`);
    const fleet = await openFleet(on.database.urlFor(role));
    try {
      await expect(fleet.plan(options)).rejects.toMatchObject({
        code: 'PRIVILEGE',
        message: `role ${role} may not look into schema shared: what expressions mean over its types cannot be told`,
        options: { remedy: `GRANT USAGE ON SCHEMA shared TO ${role}` },
      });
      await on.database.exec(`GRANT USAGE ON SCHEMA shared TO ${role}`);
      expect(changesOf(await fleet.plan(options), 'shut_a')).toEqual([]);
    } finally {
      await fleet.close();
      await on.database.exec(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  it('where the first has no such type, and does not ask', async () => {
    const declared = state({
      columns: { label: 'text', note: 'text' },
      checks: [{ name: 'orders_label', expression: "label <> 'a'" }],
      indexes: [{ name: 'orders_x', keys: ['note'], where: "label = 'x'::${schema}.code" }],
    });
    const options = await made(both('without'), declared);
    await on.database.exec(`
      DROP INDEX without_a.orders_x; DROP TYPE without_a.code;
      ALTER TABLE without_a.orders DROP CONSTRAINT orders_label, ADD CONSTRAINT orders_label CHECK (label <> 'b')`);
    expect(changesOf(await on.fleet.plan(options), 'without_b')).toEqual([]);
  });
});
