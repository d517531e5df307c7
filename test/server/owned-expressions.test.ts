import { afterAll, beforeAll, expect, it } from 'vitest';
import { changesOf, type FleetUnderTest, openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const FLEET = `
version: 1
tenants: { having_tables: [items] }
phases:
  - { name: base, file: base.yaml }
  - { name: search, extension: true, file: search.yaml, owns: { columns: [title, body], methods: [gin], ignoring: [id] } }
`;

const directory = temporaryDesiredState({
  'fleet.yaml': FLEET,
  'base.yaml': 'tables: { items: { columns: { id: bigint, note: text } } }',
  'search.yaml': 'tables: { items: { columns: { title: text, body: text } } }',
});

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

/** A tenant with indexes that no phase owns; its columns stand in another order than declared. */
const tenant = (schema: string): string => `
  CREATE SCHEMA ${schema};
  CREATE TABLE ${schema}.items (gone int, body text, note text, id bigint, title text);
  ALTER TABLE ${schema}.items DROP COLUMN gone;
  CREATE INDEX foreign_part ON ${schema}.items USING gin (to_tsvector('simple', note || body));
  CREATE INDEX foreign_key ON ${schema}.items USING gin (to_tsvector('simple', body), to_tsvector('simple', note));
  CREATE INDEX only_beside ON ${schema}.items USING gin (to_tsvector('simple', id::text));
  CREATE INDEX unowned ON ${schema}.items USING gin (to_tsvector('simple', note));`;

it('an index is owned by the columns that its key expressions name: it is no part of the shape, and dropped', async () => {
  await test.exec(tenant('t1') + tenant('t2'));
  await test.exec(`
    CREATE INDEX one ON t1.items USING gin (to_tsvector('simple', body));
    CREATE INDEX two ON t1.items USING gin (to_tsvector('simple', coalesce(title, '') || body));
    CREATE INDEX beside ON t1.items USING gin (to_tsvector('simple', id::text || body));`);
  const plan = await fleet.plan({ directory });
  expect([...changesOf(plan, 't1')].sort()).toEqual([
    'drop-index items.beside pending',
    'drop-index items.one pending',
    'drop-index items.two pending',
  ]);
  expect(changesOf(plan, 't2')).toEqual([]);
  expect(plan.summary.shapes).toBe(1);
});

// As many as are hashed roughly first, where what is asked of one index is taken for all that say the same.
it('of two indexes that differ in their expressions alone each is owned by its own, in a large fleet as well', async () => {
  const schemas = Array.from({ length: 40 }, (_, at) => `large_${at}`);
  await test.exec(schemas.map(tenant).join('\n'));
  await test.exec(`CREATE INDEX one ON large_7.items USING gin (to_tsvector('simple', body));`);
  const plan = await fleet.plan({ directory, schemas });
  const drifted = schemas.flatMap((schema) => changesOf(plan, schema).map((change) => [schema, change]));
  expect(drifted).toEqual([['large_7', 'drop-index items.one pending']]);
  expect(plan.summary.shapes).toBe(1);
});

// As few as are hashed exactly, and as many as are hashed roughly first.
it.each([4, 40])(
  'each table’s own columns say whose its index is, in a fleet of %d whose tables have theirs in other orders',
  async (count) => {
    const declared = temporaryDesiredState({
      'fleet.yaml': FLEET,
      'base.yaml':
        'tables: { items: { columns: { id: bigint, note: tsvector }, indexes: [{ name: by_note, method: gin, keys: [note] }] } }',
      'search.yaml': 'tables: { items: { columns: { body: tsvector } } }',
    });
    const schemas = Array.from({ length: count }, (_, at) => `tenant_${count}_${at}`);
    for (const [at, schema] of schemas.entries())
      await test.exec(`
      CREATE SCHEMA ${schema};
      CREATE TABLE ${schema}.items (id bigint, ${at % 2 === 0 ? 'body tsvector, note tsvector' : 'note tsvector, body tsvector'});
      ${at % 3 === 0 ? `CREATE INDEX left_over ON ${schema}.items USING gin (body);` : ''}
      CREATE INDEX by_note ON ${schema}.items USING gin (note);
      ${at % 3 === 0 ? '' : `CREATE INDEX left_over ON ${schema}.items USING gin (body);`}`);
    // Were it taken for the phase's own, that it is gone would make no difference to the tenant's hash.
    const lacking = `tenant_${count}_1`;
    await test.exec(`DROP INDEX ${lacking}.by_note`);
    const skip = await fleet.plan({ directory: declared, schemas, load: { skipExtensionPhases: true } });
    const whole = await fleet.plan({ directory: declared, schemas });
    for (const schema of schemas) {
      const missing = schema === lacking ? ['create-index items.by_note pending'] : [];
      expect(changesOf(skip, schema), schema).toEqual(missing);
      expect([...changesOf(whole, schema)].sort(), schema).toEqual([...missing, 'drop-index items.left_over pending']);
    }
  },
);

it('a declared index of one tenant is judged by its own columns, expression and predicate, in a fleet of which one of each is read', async () => {
  const declared = temporaryDesiredState({
    'fleet.yaml': FLEET.replace('[title, body]', '[title, body, words, more]'),
    // Of the phase's method, and nobody's but the base phase's.
    'base.yaml':
      'tables: { items: { columns: { id: bigint, note: tsvector }, indexes: [{ name: by_note, method: gin, keys: [note], where: id > 0 }] } }',
    'search.yaml': `
tables:
  items:
    columns: { title: tsvector, body: tsvector, words: text, more: text }
    indexes:
      - { name: by_body, method: gin, keys: [body] }
      - { name: by_words, method: gin, keys: [{ expression: "to_tsvector('simple', words)" }] }
`,
  });
  const schemas = Array.from({ length: 40 }, (_, at) => `judged_${at}`);
  for (const [at, schema] of schemas.entries())
    await test.exec(`
      CREATE SCHEMA ${schema};
      CREATE TABLE ${schema}.items (id bigint, ${at % 2 === 0 ? 'body tsvector, title tsvector' : 'title tsvector, body tsvector'}, words text, more text, note tsvector);
      CREATE INDEX by_note ON ${schema}.items USING gin (note) WHERE id > 0;
      CREATE INDEX by_body ON ${schema}.items USING gin (body);
      CREATE INDEX by_words ON ${schema}.items USING gin (to_tsvector('simple', words));`);
  await test.exec(`
    DROP INDEX judged_7.by_body; CREATE INDEX by_body ON judged_7.items USING gin (title);
    DROP INDEX judged_8.by_words; CREATE INDEX by_words ON judged_8.items USING gin (to_tsvector('simple', more));
    DROP INDEX judged_9.by_note; CREATE INDEX by_note ON judged_9.items USING gin (note) WHERE id > 1;`);
  const plan = await fleet.plan({ directory: declared, schemas });
  const drifted = schemas.flatMap((schema) => changesOf(plan, schema).map((change) => [schema, change]));
  expect(drifted).toEqual([
    ['judged_7', 'rebuild-index items.by_body pending'],
    ['judged_8', 'rebuild-index items.by_words pending'],
    ['judged_9', 'rebuild-index items.by_note pending'],
  ]);
});

it('indexes of a family that no phase owns make no shape of their own, whatever rows a tenant has', async () => {
  const declared = temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [items] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': `
tables:
  kinds: { columns: { id: { type: integer, nullable: false } }, primary_key: { name: kinds_pkey, columns: [id] } }
  items:
    columns: { kind: integer, at: bigint }
    index_families:
      - { name: "of_\${kind.id}", for_each: { kind: { table: kinds, values: { id: id::text } } }, keys: [at], where: "kind = \${kind.id}::integer" }
`,
  });
  const schemas = Array.from({ length: 40 }, (_, at) => `kinds_${at}`);
  await fleet.provision(schemas, { directory: declared });
  for (const [at, schema] of schemas.entries()) await test.exec(`INSERT INTO ${schema}.kinds VALUES (${at});`);
  await fleet.apply({ directory: declared, schemas });
  const { summary } = await fleet.plan({ directory: declared, schemas });
  expect(summary).toMatchObject({ tenants: 40, inSync: 40, shapes: 1 });
});
