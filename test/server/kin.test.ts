import { expect, it } from 'vitest';
import { changesOf, itemsOf } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const on = fleetOnServer();

/** One table, or two that are declared alike. */
const declared = (columns: string, check: string, keys: string, tables: readonly string[] = ['docs']) =>
  temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [docs] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': `tables:\n${tables
      .map(
        (table) => `
  ${table}:
    columns: { id: { type: int, nullable: false }, ${columns} }
    checks: [{ name: ${table}_n, expression: ${check} }]
    indexes: [{ name: ${table}_by, keys: [${keys}] }]`,
      )
      .join('')}\n`,
  });

const MADE = declared('kind: { type: text, nullable: false }, n: int, size: { type: int, default: "1" }', 'n > 0', 'n');

/** Of everything something that differs, and something that is missing. */
const DIFFERENT = declared(
  'kind: text, n: bigint, size: { type: int, default: "2", nullable: false }, filled: { type: uuid, default: gen_random_uuid() }',
  'n > 1',
  'n, size',
);

const PARTITION = `CREATE TABLE S.all_docs (LIKE S.docs INCLUDING ALL) PARTITION BY RANGE (id);
  ALTER TABLE S.all_docs ATTACH PARTITION S.docs FOR VALUES FROM (0) TO (1000)`;
const CHILD = 'CREATE TABLE S.all_docs (LIKE S.docs INCLUDING ALL); ALTER TABLE S.docs INHERIT S.all_docs';
/** One more column, an identity. */
const NUMBERED = declared(
  'kind: { type: text, nullable: false }, n: int, size: { type: int, default: "1" }, no: { type: int, identity: always }',
  'n > 0',
  'n',
);
const OUTSIDE = 'CREATE SCHEMA "Else-S"; CREATE TABLE "Else-S".more () INHERITS (S.docs)';

const OF_PARTITION = 'comes from all_docs, which the table is a partition of: PostgreSQL changes it there alone';
const OF_CHILD = 'comes from all_docs, which the table inherits from: PostgreSQL changes it there alone';
const DETACHED =
  'change all_docs, which changes it here as well, or end that with ALTER TABLE all_docs DETACH PARTITION …, then apply';
const NO_HEIR =
  'change all_docs, which changes it here as well, or end that with ALTER TABLE docs NO INHERIT …, then apply';

it.each([
  {
    what: 'is a partition',
    ties: PARTITION,
    refused: {
      'alter-column kind': `NOT NULL of column kind ${OF_PARTITION}`,
      'replace-column n': `column n ${OF_PARTITION}`,
      'add-column filled': `the list of its columns ${OF_PARTITION}`,
      'replace-constraint docs_n': `constraint docs_n ${OF_PARTITION}`,
      'rebuild-index docs_by': `index docs_by ${OF_PARTITION}`,
    },
    remedy: DETACHED,
    made: ['alter-column size', 'alter-column size'],
    mended: 'ALTER TABLE S.all_docs DETACH PARTITION S.docs',
  },
  {
    what: 'inherits from a table',
    ties: CHILD,
    refused: {
      'replace-column n': `column n ${OF_CHILD}`,
      'replace-constraint docs_n': `constraint docs_n ${OF_CHILD}`,
      'rebuild-index docs_by': `waits for replace-column n, which is blocked: column n ${OF_CHILD}`,
    },
    remedy: NO_HEIR,
    made: ['alter-column kind', 'alter-column size', 'alter-column size', 'add-column filled'],
    mended: 'ALTER TABLE S.docs NO INHERIT S.all_docs',
  },
])('where a table $what, what it does not inherit is changed, and the rest is said to be blocked', async (of) => {
  const schema = of.what.replace(/\W/gu, '_');
  await on.fleet.provision([schema], { directory: MADE });
  await on.database.exec(of.ties.replaceAll('S.', `${schema}.`));
  const options = { directory: DIFFERENT, schemas: [schema] };
  const changes = itemsOf(await on.fleet.plan(options), schema).map(({ change }) => change);
  const refused = changes.filter(({ status }) => status === 'blocked');
  const said = refused.map(({ action, object, obstacle }) => [`${action} ${object}`, obstacle]);
  expect(Object.fromEntries(said)).toEqual(of.refused);
  expect(new Set(refused.map(({ remedy }) => remedy))).toEqual(new Set([of.remedy]));
  const pending = changes.filter(({ status }) => status === 'pending');
  expect(pending.map(({ action, object }) => `${action} ${object}`)).toEqual(of.made);

  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'partial', error: null }]);
  await on.database.exec(of.mended.replaceAll('S.', `${schema}.`));
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
  expect(changesOf(await on.fleet.plan(options), schema)).toEqual([]);
});

it('what would change tables of other schemas that inherit is blocked, and their tables stay as they are', async () => {
  const ends = { directory: DIFFERENT, schemas: ['has_heirs'] };
  await on.fleet.provision(ends.schemas, { directory: MADE });
  await on.database.exec(`${OUTSIDE.replaceAll('S.', 'has_heirs.').replaceAll('Else-S', 'Elsewhere')};
    INSERT INTO has_heirs.docs (id, kind) VALUES (1, 'a'); CREATE TABLE "Elsewhere".most () INHERITS ("Elsewhere".more)`);
  const changes = itemsOf(await on.fleet.plan(ends), 'has_heirs').map(({ change }) => change);
  expect(changes.map(({ action, object, status }) => `${action} ${object} ${status}`)).toEqual([
    'alter-column kind blocked',
    'replace-column n blocked',
    'alter-column size blocked',
    'alter-column size blocked',
    'add-column filled blocked',
    'replace-constraint docs_n blocked',
    'rebuild-index docs_by blocked',
  ]);
  expect(changes[0]).toMatchObject({
    obstacle:
      'ALTER TABLE would change "Elsewhere".more, "Elsewhere".most as well: tables of other schemas that inherit from docs',
    remedy:
      'end that with ALTER TABLE "Elsewhere".more NO INHERIT …, then apply, or change docs in the application’s own migration',
  });
  const columns = () =>
    on.database.query(
      `SELECT attname, atttypid, attnotnull FROM pg_attribute WHERE attrelid = '"Elsewhere".most'::regclass`,
    );
  const before = await columns();
  expect((await on.fleet.apply(ends)).tenants).toMatchObject([{ outcome: 'blocked', error: null }]);
  expect(await columns()).toEqual(before);
});

it('where a table of another schema inherits, indexes, keys and checks of one table alone are made', async () => {
  const directory = temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [docs] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': `
tables:
  docs:
    columns: { id: { type: int, nullable: false, identity: always }, n: int }
    primary_key: { name: docs_pkey, columns: [id] }
    unique: [{ name: docs_id_n, columns: [id, n] }]
    checks: [{ name: docs_own, expression: n > 0, no_inherit: true }]
    foreign_keys: [{ name: docs_n_fkey, columns: [n], references: { table: docs, columns: [id] } }]
    indexes: [{ name: docs_by, keys: [n] }]
`,
  });
  const options = { directory, schemas: ['own_alone'] };
  await on.database.exec(`CREATE SCHEMA own_alone; CREATE TABLE own_alone.docs (id int NOT NULL, n int);
    CREATE SCHEMA beside_own; CREATE TABLE beside_own.docs () INHERITS (own_alone.docs);
    INSERT INTO own_alone.docs VALUES (1, 1)`);
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
  expect(changesOf(await on.fleet.plan(options), 'own_alone')).toEqual([]);
});

it.each(['docs', 'archive'])(
  'what is declared of %s and of the table that inherits from it is made once',
  async (parent) => {
    const schema = `both_${parent}`;
    const [child, tables] = [parent === 'docs' ? 'archive' : 'docs', ['docs', 'archive']];
    const made = declared('n: int', 'n > 0', 'id', tables);
    await on.fleet.provision([schema], { directory: made });
    await on.database.exec(`DROP TABLE ${schema}.${child};
    CREATE TABLE ${schema}.${child} (CONSTRAINT ${child}_n CHECK (n > 0)) INHERITS (${schema}.${parent});
    CREATE INDEX ${child}_by ON ${schema}.${child} (id);
    INSERT INTO ${schema}.${parent} VALUES (1, 1); INSERT INTO ${schema}.${child} VALUES (1, 1), (2, 1)`);
    expect(changesOf(await on.fleet.plan({ directory: made, schemas: [schema] }), schema)).toEqual([]);
    const more =
      'n: { type: int, nullable: false }, filled: { type: uuid, default: gen_random_uuid() }, size: { type: int, default: "1" }';
    const options = { directory: declared(more, 'n > -1', 'id, size', tables), schemas: [schema] };
    const added = changesOf(await on.fleet.plan(options), schema).filter((change) => change.startsWith('add-column'));
    expect(added).toEqual([`add-column ${parent}.size pending`, `add-column ${parent}.filled pending`]);
    expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
    expect(changesOf(await on.fleet.plan(options), schema)).toEqual([]);
  },
);

it.each([
  {
    what: 'a column of its own of another type',
    heir: 'CREATE TABLE S.more (filled text) INHERITS (S.docs)',
    obstacle: 'more, which inherits from docs, has a column filled of its own, as text',
    change: 'add-column filled',
  },
  {
    what: 'a view over a column',
    heir: 'CREATE TABLE S.more () INHERITS (S.docs); CREATE VIEW S.seen AS SELECT n FROM S.more',
    obstacle: 'view seen is over column n of more, which inherits from docs',
    change: 'replace-column n',
  },
  {
    what: 'an identity, which it would not have',
    heir: 'CREATE TABLE S.more () INHERITS (S.docs)',
    obstacle: 'PostgreSQL adds no identity column to a table that more inherits from',
    change: 'add-column no',
    directory: NUMBERED,
    outcome: 'blocked',
  },
])('a change that fails for what a table of the tenant that inherits has is blocked: $what', async (of) => {
  const schema = of.what.replace(/\W/gu, '_');
  const options = { directory: of.directory ?? DIFFERENT, schemas: [schema] };
  await on.fleet.provision([schema], { directory: MADE });
  await on.database.exec(of.heir.replaceAll('S.', `${schema}.`));
  const refused = itemsOf(await on.fleet.plan(options), schema).find(
    ({ change: { action, object } }) => `${action} ${object}` === of.change,
  );
  expect(refused?.change).toMatchObject({ status: 'blocked', obstacle: of.obstacle });
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: of.outcome ?? 'partial', error: null }]);
});

it('a table whose rows are all in those that inherit from it holds rows', async () => {
  const options = { directory: DIFFERENT, schemas: ['filled_heirs'] };
  await on.fleet.provision(options.schemas, { directory: MADE });
  await on.database.exec(`CREATE TABLE filled_heirs.docs_of_may () INHERITS (filled_heirs.docs);
    INSERT INTO filled_heirs.docs_of_may (id, kind, n) VALUES (1, 'a', 7)`);
  const changes = itemsOf(await on.fleet.plan(options), 'filled_heirs').map(({ change }) => change);
  expect(changes.map(({ action, object, status }) => `${action} ${object} ${status}`)).toEqual([
    'alter-column kind pending',
    'replace-column n blocked',
    'alter-column size pending',
    'alter-column size pending',
    'add-column filled pending',
    'replace-constraint docs_n blocked',
    'rebuild-index docs_by blocked',
  ]);
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'partial', error: null }]);
  expect(await on.database.query('SELECT kind, n, size FROM filled_heirs.docs_of_may')).toEqual([
    { kind: 'a', n: 7, size: 1 },
  ]);
});

it('of tenants that look alike each has its own kin named, and a plan of more takes no statement more', async () => {
  const schemas = ['kin_a', 'kin_b', 'kin_c', 'kin_d'];
  await on.fleet.provision(schemas, { directory: MADE });
  for (const schema of schemas) await on.database.exec(PARTITION.replaceAll('S.', `${schema}.`));
  await on.database.exec('ALTER TABLE kin_d.all_docs RENAME TO "All"');
  const planned = async (some: readonly string[]) => {
    await on.fleet.anew();
    const plan = await on.fleet.plan({ directory: DIFFERENT, schemas: some });
    return { plan, statements: on.fleet.statements.length };
  };
  const one = await planned(['kin_a']);
  const all = await planned(schemas);
  expect(all.statements).toBe(one.statements);
  const obstacles = schemas.map((schema) => itemsOf(all.plan, schema)[0]?.change.obstacle);
  expect(obstacles).toEqual([
    ...Array(3).fill(`NOT NULL of column kind ${OF_PARTITION}`),
    `NOT NULL of column kind ${OF_PARTITION.replace('all_docs', '"All"')}`,
  ]);
});

it('a partitioned table is refused as one, and what refers to it waits', async () => {
  const options = { directory: MADE, schemas: ['partitioned'] };
  await on.database.exec(`CREATE SCHEMA partitioned;
    CREATE TABLE partitioned.docs (id int NOT NULL) PARTITION BY RANGE (id); CREATE TABLE partitioned.part PARTITION OF partitioned.docs DEFAULT`);
  expect(changesOf(await on.fleet.plan(options), 'partitioned')).toEqual(['create-table docs.docs blocked']);
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'blocked', error: null }]);
});

it('an inherited column that stays generated gets no default, and nothing is computed from it', async () => {
  await on.database.exec(`CREATE SCHEMA generated; CREATE TABLE generated.parent (id int, n int GENERATED ALWAYS AS (id) STORED);
    CREATE TABLE generated.docs () INHERITS (generated.parent)`);
  const directory = temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [docs] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml':
      'tables: { docs: { columns: { id: int, n: { type: int, default: 1 }, more: { type: int, generated: n } } } }',
  });
  const options = { schemas: ['generated'], directory };
  expect(changesOf(await on.fleet.plan(options), 'generated')).toEqual([
    'alter-column docs.n blocked',
    'alter-column docs.n blocked',
    'add-column docs.more blocked',
  ]);
  await on.database.exec('ALTER TABLE generated.docs NO INHERIT generated.parent');
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
});

it('a column stays where a foreign key rests on it in a table that inherits', async () => {
  await on.database.exec(`CREATE SCHEMA rested; CREATE TABLE rested.docs (id int, n int);
    CREATE TABLE rested.heir (UNIQUE (n)) INHERITS (rested.docs); CREATE TABLE rested.others (n int REFERENCES rested.heir (n))`);
  const directory = temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [docs] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': 'tables: { docs: { columns: { id: int, n: uuid } } }',
  });
  const options = { schemas: ['rested'], directory };
  const plan = await on.fleet.plan(options);
  expect(itemsOf(plan, 'rested').map(({ change }) => change)).toMatchObject([
    {
      status: 'blocked',
      reason: 'type is integer, declared uuid; with it go constraint heir_n_key of table heir, which nothing declares',
      obstacle: 'foreign key others_n_fkey of table others is over column n of heir, which inherits from docs',
    },
  ]);
  await on.database.exec('DROP TABLE rested.others');
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
});
