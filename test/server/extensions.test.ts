import { afterEach, expect, it } from 'vitest';
import type { FleetPlan } from '../../src/plan/fleet-plan.js';
import { TrueupError } from '../../src/trueup-error.js';
import { SHOP, writeDesiredState } from '../support/desired-state-fixture.js';
import { changesOf, type FleetUnderTest, itemsOf, openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function bareDatabase(setUp = ''): Promise<TestDatabase> {
  const database = await createTestDatabase({ template: false });
  open.push({ close: () => database.drop() });
  if (setUp !== '') await database.exec(setUp);
  return database;
}

async function fleetOn(url: string): Promise<FleetUnderTest> {
  const fleet = await openFleet(url);
  open.push(fleet);
  return fleet;
}

async function refusal(run: Promise<unknown>): Promise<TrueupError> {
  try {
    await run;
  } catch (error) {
    if (error instanceof TrueupError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

const creations = (fleet: FleetUnderTest) => fleet.statements.filter((sql) => sql.startsWith('CREATE EXTENSION'));
const ddl = (fleet: FleetUnderTest) => fleet.statements.filter((sql) => /^\s*(?:CREATE|ALTER|DROP|LOCK)\b/u.test(sql));
const said = (plan: FleetPlan) =>
  plan.databases.flatMap((one) => one.diagnostics.map(({ code, schema }) => [code, schema]));

const EXTENSIONS_SQL = `SELECT extname AS name, extnamespace::regnamespace::text AS schema FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1`;

/** Backend `fancy` is there; `plain` is what a default would take. */
const TWO_BACKENDS = {
  'search/plain.yaml': `
backend: plain
tables:
  items:
    columns: { body: { type: tsvector } }
    indexes: [{ name: items_body, method: gin, keys: [body] }]
`,
  'search/fancy.yaml': `
backend: fancy
extensions: [{ name: vector, schema: public }]
tables:
  items:
    columns: { body: { type: "vector(3)" } }
    indexes:
      - { name: items_body, method: { name: hnsw, extension: vector }, keys: [{ column: body, opclass: vector_l2_ops }] }
`,
  'fleet.yaml': SHOP['fleet.yaml'].replace('methods: [gin, fancy]', 'methods: [gin, hnsw]'),
};

/** A fleet whose notes are searched by a backend, of PostgreSQL's own methods. */
const searchedBy = (byDefault: string, methods: string) => `
version: 1
tenants: { having_tables: [notes] }
phases:
  - { name: base, file: base.yaml }
  - name: search
    extension: true
    backends: search/
    select: { env: NOTES_SEARCH, default: ${byDefault} }
    owns: { columns: [body], methods: [${methods}] }
`;

it('B7: an extension that the server does not have is one error, with the statement for an administrator', async () => {
  const database = await bareDatabase();
  const fleet = await fleetOn(database.url);
  await fleet.provision(['t1', 't2', 't3']);
  const error = await refusal(fleet.plan({ load: { backends: { vector: 'vchord' } } }));
  expect(error.code).toBe('EXTENSION_UNAVAILABLE');
  expect(error.message).toContain('vchord');
  expect(error.options.remedy).toMatch(/CREATE EXTENSION vchord\b/u);
  expect(error.options.where).toBe(`database ${database.name}, phase vector`);
  expect(error.options.remedy).toContain('--backend vector=NAME');
  fleet.forget();
  await refusal(fleet.apply({ load: { backends: { vector: 'vchord' } } }));
  expect(ddl(fleet)).toEqual([]);
});

it('B7: where a phase has no backends, none is offered in place of the extension that the server does not have', async () => {
  const database = await bareDatabase();
  const fleet = await fleetOn(database.url);
  const directory = writeDesiredState({ 'base.yaml': `extensions: [{ name: no_such_one }]\n${SHOP['base.yaml']}` });
  const error = await refusal(fleet.plan({ load: { directory }, schemas: ['t1'], createSchema: true }));
  expect(error.code).toBe('EXTENSION_UNAVAILABLE');
  expect(error.options.remedy).toBe(
    'install its files on the server, then run as an administrator: CREATE EXTENSION no_such_one',
  );
});

it('B12: each of two phases that need an extension which cannot be created is blocked', async () => {
  const database = await bareDatabase('CREATE ACCESS METHOD hnsw TYPE INDEX HANDLER bthandler');
  const fleet = await fleetOn(database.url);
  const phase = (name: string) => `
extensions: [{ name: vector, schema: public }]
tables:
  items:
    columns: { ${name}: { type: 'int[]' } }
    indexes: [{ name: items_${name}, method: { name: hnsw, extension: vector }, keys: [${name}] }]
`;
  const directory = writeDesiredState({
    'fleet.yaml': `
version: 1
tenants: { having_tables: [shops, items] }
phases:
  - { name: base, file: base.yaml }
  - { name: first, extension: true, file: first.yaml }
  - { name: second, extension: true, file: second.yaml }
`,
    'first.yaml': phase('body'),
    'second.yaml': phase('title'),
  });
  await fleet.apply({ load: { directory, skipExtensionPhases: true }, schemas: ['t1'], createSchema: true });
  const plan = await fleet.plan({ load: { directory } });
  const found = itemsOf(plan, 't1').map(({ change: { phase: of, object, status } }) => [of, object, status]);
  expect(found).toEqual([
    ['first', 'body', 'blocked'],
    ['second', 'title', 'blocked'],
    ['first', 'items_body', 'blocked'],
    ['second', 'items_title', 'blocked'],
  ]);
});

it('B8: an extension that is only available is made once, in its declared schema, before two tenants', async () => {
  const database = await bareDatabase();
  const fleet = await fleetOn(database.url);
  const plan = await fleet.plan({ schemas: ['t1', 't2'], createSchema: true });
  expect(plan.databases[0]?.databaseChanges.map(({ action, object }) => [action, object])).toEqual([
    ['create-extension', 'pg_trgm'],
    ['create-extension', 'vector'],
  ]);
  fleet.forget();
  await fleet.provision(['t1', 't2']);
  expect(creations(fleet)).toHaveLength(2);
  expect(await database.query(EXTENSIONS_SQL)).toEqual([
    { name: 'pg_trgm', schema: 'public' },
    { name: 'vector', schema: 'public' },
  ]);
  expect((await fleet.plan()).summary).toMatchObject({ tenants: 2, inSync: 2 });
});

it('B9: where the extensions are there, a role that may not create them converges its tenant', async () => {
  const database = await createTestDatabase();
  open.push({ close: () => database.drop() });
  const role = `owner_${database.name}`;
  await database.exec(`CREATE ROLE ${role} LOGIN; CREATE SCHEMA mine AUTHORIZATION ${role}`);
  open.push({ close: () => database.exec(`DROP OWNED BY ${role}; DROP ROLE ${role}`) });
  const fleet = await fleetOn(database.urlFor(role));
  const outcome = await fleet.apply({ schemas: ['mine'] });
  expect(outcome.tenants.map(({ outcome: end, error }) => [end, error])).toEqual([['converged', null]]);
  expect(creations(fleet)).toEqual([]);
});

it('B9: where they are not, apply stops before any tenant and names the statement', async () => {
  const database = await bareDatabase();
  const role = `owner_${database.name}`;
  await database.exec(`CREATE ROLE ${role} LOGIN; CREATE SCHEMA mine AUTHORIZATION ${role}`);
  open.push({ close: () => database.exec(`DROP OWNED BY ${role}; DROP ROLE ${role}`) });
  const fleet = await fleetOn(database.urlFor(role));
  const error = await refusal(fleet.apply({ schemas: ['mine'] }));
  expect(error.code).toBe('PRIVILEGE');
  expect(error.options.where).toBe(`database ${database.name}`);
  expect(error.options.remedy).toContain('CREATE EXTENSION IF NOT EXISTS');
  expect(ddl(fleet).filter((sql) => !sql.startsWith('CREATE EXTENSION'))).toEqual([]);
});

it('B8: where the schema of an extension does not exist, apply says how to make it, not to repeat what failed', async () => {
  const database = await bareDatabase();
  const fleet = await fleetOn(database.url);
  const refused = (schema: string) => {
    const directory = writeDesiredState({
      'base.yaml': `extensions: [{ name: vector${schema} }]\n${SHOP['base.yaml']}`,
    });
    return refusal(fleet.apply({ load: { directory }, schemas: ['t1'], createSchema: true }));
  };
  expect((await refused('')).options.remedy).toBe(
    'give extension vector a schema where the desired state lists it, such as schema: public',
  );
  const error = await refused(', schema: their_own');
  expect(error.message).toContain('schema "their_own" does not exist');
  expect(error.options.remedy).toBe('run as an administrator: CREATE SCHEMA their_own; then run again');
});

it('B10: an extension that lives in another schema is used there, never moved, and said', async () => {
  const database = await bareDatabase(
    'CREATE SCHEMA extensions; CREATE EXTENSION vector SCHEMA extensions; CREATE EXTENSION pg_trgm SCHEMA extensions',
  );
  const fleet = await fleetOn(database.url);
  await fleet.provision(['t1']);
  const plan = await fleet.plan();
  expect(changesOf(plan, 't1')).toEqual([]);
  expect(said(plan)).toEqual([
    ['EXTENSION_ELSEWHERE', null],
    ['EXTENSION_ELSEWHERE', null],
  ]);
  const [column] = await database.query(
    `SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = 't1.memory_units'::regclass AND attname = 'embedding'`,
  );
  expect(column).toEqual({ type: 'extensions.vector(384)' });
  await database.exec('DROP INDEX t1.idx_mental_models_embedding');
  fleet.forget();
  expect((await fleet.apply()).summary).toMatchObject({ converged: 1 });
  expect(fleet.statements.filter((sql) => /EXTENSION|SET SCHEMA/u.test(sql))).toEqual([]);
  fleet.forget();
  await fleet.apply();
  expect(ddl(fleet)).toEqual([]);
});

it('B11: extensions that live in one tenant’s schema serve that tenant and the others, and it is said', async () => {
  const database = await bareDatabase(
    'CREATE SCHEMA "Host"; CREATE EXTENSION pg_trgm SCHEMA "Host"; CREATE EXTENSION vector SCHEMA "Host"',
  );
  const fleet = await fleetOn(database.url);
  await fleet.provision(['Host', 't2']);
  const plan = await fleet.plan();
  expect(changesOf(plan, 'Host')).toEqual([]);
  expect(changesOf(plan, 't2')).toEqual([]);
  expect(said(plan)).toEqual([
    ['EXTENSION_IN_TENANT', 'Host'],
    ['EXTENSION_IN_TENANT', 'Host'],
  ]);
  // One of them alone, and the one that does not hold the extensions first by name.
  await database.exec('DROP INDEX "Host".idx_mental_models_embedding; DROP INDEX t2.idx_mental_models_embedding');
  expect((await fleet.apply()).summary).toMatchObject({ converged: 2 });
  expect((await fleet.plan()).summary).toMatchObject({ inSync: 2 });
});

it('B16: a default replaces no other backend’s indexes: the backend that was found is named, and nothing is planned', async () => {
  const database = await createTestDatabase();
  open.push({ close: () => database.drop() });
  const fleet = await fleetOn(database.url);
  const directory = writeDesiredState(TWO_BACKENDS);
  const fancy = { directory, load: { backends: { search: 'fancy' } } };
  await fleet.provision(['t1', 't2'], fancy);
  const error = await refusal(fleet.plan({ directory }));
  expect(error.code).toBe('BACKEND_NOT_NAMED');
  expect(error.message).toContain('fancy');
  expect(error.options.remedy).toContain('--backend search=fancy');
  fleet.forget();
  expect((await refusal(fleet.apply({ directory }))).code).toBe('BACKEND_NOT_NAMED');
  expect(ddl(fleet)).toEqual([]);
  expect((await fleet.plan(fancy)).summary).toMatchObject({ inSync: 2 });
  const asked = await fleet.plan({ directory, load: { environment: { SHOP_SEARCH: 'plain' } } });
  expect(asked.summary.drifted).toBe(2);
  const skipped = await fleet.plan({ directory, load: { skipExtensionPhases: true } });
  expect(skipped.summary).toMatchObject({ inSync: 2 });
});

it('B16: two backends of PostgreSQL’s own methods are told apart by the method', async () => {
  const database = await createTestDatabase();
  open.push({ close: () => database.drop() });
  const fleet = await fleetOn(database.url);
  const backend = (method: string) => `
backend: ${method}
tables: { notes: { indexes: [{ name: notes_body, method: ${method}, keys: [body] }] } }
`;
  const directory = temporaryDesiredState({
    'fleet.yaml': searchedBy('hash', 'hash, btree, brin'),
    'base.yaml': 'tables: { notes: { columns: { id: int, body: text } } }',
    'search/hash.yaml': backend('hash'),
    'search/btree.yaml': backend('btree'),
  });
  await fleet.provision(['t1'], { directory, load: { backends: { search: 'btree' } } });
  const error = await refusal(fleet.plan({ directory }));
  expect([error.code, error.options.remedy]).toEqual([
    'BACKEND_NOT_NAMED',
    expect.stringContaining('--backend search=btree'),
  ]);
  // What is no backend's is drift like any other.
  await database.exec('DROP INDEX t1.notes_body; CREATE INDEX notes_body ON t1.notes USING brin (body)');
  expect((await fleet.plan({ directory })).summary).toMatchObject({ drifted: 1 });
});

it('of two backends of PostgreSQL’s own methods, one’s members are counted with their family when the other comes', async () => {
  const database = await createTestDatabase();
  open.push({ close: () => database.drop() });
  const fleet = await fleetOn(database.url);
  const directory = temporaryDesiredState({
    'fleet.yaml': searchedBy('each', 'hash, btree'),
    'base.yaml': 'tables: { notes: { columns: { id: { type: int, nullable: false }, body: text } } }',
    'search/each.yaml': `
backend: each
tables:
  notes:
    index_families:
      - name: "notes_\${note.id}"
        for_each: { note: { table: notes, values: { id: id } } }
        keys: [body]
        where: "id = \${note.id}"
`,
    // A name that the family could give.
    'search/all.yaml': `
backend: all
tables: { notes: { indexes: [{ name: notes_all, method: hash, keys: [body] }] } }
`,
  });
  const all = { directory, load: { backends: { search: 'all' } } };
  await fleet.provision(['t1', 't2'], { directory });
  await database.exec("INSERT INTO t1.notes VALUES (1, 'a'), (2, 'b'); INSERT INTO t2.notes VALUES (3, 'c'), (4, 'd')");
  expect((await fleet.apply({ directory })).summary).toMatchObject({ converged: 2 });
  const refused = await fleet.plan(all);
  expect(
    refused.classes.map(({ changes }) =>
      changes.map(({ change: { action, object, obstacle } }) => [action, object, obstacle]),
    ),
  ).toEqual([
    [
      ['create-index', 'notes_all', expect.stringContaining('switched as a whole or not')],
      ['drop-index', 'notes_${note.id}', 'table notes holds rows, and the index is of backend each'],
    ],
  ]);
  expect((await fleet.apply({ ...all, allow: ['rebuild-index'] })).summary).toMatchObject({ converged: 2 });
  expect((await fleet.plan(all)).summary).toMatchObject({ inSync: 2 });
  const each = { directory, load: { backends: { search: 'each' } }, allow: ['rebuild-index' as const] };
  const back = await fleet.plan(each);
  expect(back.classes.map(({ changes }) => changes.map(({ change: { action, reason } }) => [action, reason]))).toEqual([
    [
      ['create-index', 'missing'],
      ['drop-index', 'of another backend, for no row that is there'],
    ],
  ]);
  expect((await fleet.apply(each)).summary).toMatchObject({ converged: 2 });
});

it('B16: says so too when the extension of the default is not there', async () => {
  const database = await createTestDatabase();
  open.push({ close: () => database.drop() });
  const fleet = await fleetOn(database.url);
  const plain = TWO_BACKENDS['search/plain.yaml'].replace('tables:', 'extensions: [{ name: not_there }]\ntables:');
  const directory = writeDesiredState({ ...TWO_BACKENDS, 'search/plain.yaml': plain });
  await fleet.provision(['t1'], { directory, load: { backends: { search: 'fancy' } } });
  expect((await refusal(fleet.plan({ directory }))).code).toBe('BACKEND_NOT_NAMED');
});
