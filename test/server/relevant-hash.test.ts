import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { FleetPlan } from '../../src/plan/fleet-plan.js';
import { type FleetOptions, type FleetUnderTest, openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { type Bench, fill, inflict, write } from '../support/random/convergence.js';
import { randomDamage } from '../support/random/damage.js';
import { randomState } from '../support/random/state.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** How the tables are hashed: whole or cut to what bears on the plan, roughly first or exactly alone. */
const way = vi.hoisted(() => ({ isCut: true, isRough: false }));
vi.mock('../../src/catalog/relevance.js', async (original) => {
  const real = await original<typeof import('../../src/catalog/relevance.js')>();
  return { ...real, relevanceOf: async (desired: never) => (way.isCut ? real.relevanceOf(desired) : []) };
});
vi.mock('../../src/catalog/shape-hash.js', async (original) => ({
  ...(await original<typeof import('../../src/catalog/shape-hash.js')>()),
  get WORTH_ROUGH() {
    return way.isRough ? 1 : 1000;
  },
}));

let database: TestDatabase;
let fleet: FleetUnderTest;
let bench: Bench;
beforeAll(async () => {
  database = await createTestDatabase();
  fleet = await openFleet(database.url);
  bench = { fleet, query: (sql) => database.query(sql) };
});
afterAll(async () => {
  await fleet?.close();
  await database?.drop();
});

const EXTENSION_PHASES = { load: { phases: ['search'] } };

/** A plan of the extension phases each way, the whole tables' first. */
async function plans(directory: string, schemas: readonly string[]): Promise<readonly FleetPlan[]> {
  const made: FleetPlan[] = [];
  for (const isCut of [false, true])
    for (const isRough of [false, true]) {
      Object.assign(way, { isCut, isRough });
      made.push(await fleet.plan({ ...EXTENSION_PHASES, directory, schemas }));
    }
  return made;
}

/** What a plan says of each tenant, to the letter. */
const said = (plan: FleetPlan) =>
  plan.databases.flatMap((one) => [
    ...one.tenants.map(({ schema, changes }) => ({ schema, changes })),
    ...one.unreadable.map(({ schema, message }) => ({ schema, message })),
  ]);

/** Of all phases, of the extension phases, of the base phase alone. */
const RUNS: readonly FleetOptions[] = [{}, EXTENSION_PHASES, { load: { skipExtensionPhases: true } }];

/** Whatever a tenant's neighbours are, a plan says of it what it says of it alone. */
async function comparesWithAlone(directory: string, schemas: readonly string[]): Promise<void> {
  for (const options of RUNS) {
    const alone: unknown[] = [];
    Object.assign(way, { isCut: true, isRough: false });
    for (const schema of schemas) alone.push(...said(await fleet.plan({ ...options, directory, schemas: [schema] })));
    way.isRough = true;
    const together = said(await fleet.plan({ ...options, directory, schemas }));
    expect(new Set(together)).toEqual(new Set(alone));
  }
}

describe('a plan of the extension phases', () => {
  it('says after any damage what it says when tables are hashed whole, and of each tenant what it says of it alone', {
    timeout: 600_000,
  }, async () => {
    const seed = Number(process.env.TRUEUP_PROPERTY_SEED ?? Date.now() % 2 ** 31);
    process.stderr.write(`seed ${seed} (TRUEUP_PROPERTY_SEED)\n`);
    let run = 0;
    let changed = 0;
    const damages = fc.array(randomDamage, { minLength: 4, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(randomState, fc.nat(1), damages, async (state, rows, lists) => {
        run += 1;
        const directory = write(state.files);
        const schemas = ['whole', ...lists.map((_, at) => `broken${at}`)].map((name) => `r${run}_${name}`);
        try {
          await fleet.provision(schemas, { directory });
          for (const schema of schemas)
            for (let row = 1; row <= rows; row += 1) await fill(bench, schema, state.inserts(row));
          if (rows > 0) await fleet.apply({ directory, schemas });
          for (const [at, list] of lists.entries()) await inflict(bench, schemas[at + 1] ?? '', state, list);
          const [whole, ...others] = (await plans(directory, schemas)).map(said);
          for (const other of others) expect(other).toEqual(whole);
          await comparesWithAlone(directory, schemas);
          changed += JSON.stringify(whole).split('"action"').length - 1;
        } finally {
          for (const schema of schemas) await bench.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
          rmSync(directory, { recursive: true, force: true });
        }
      }),
      { numRuns: Number(process.env.TRUEUP_PROPERTY_RUNS ?? 5), seed, endOnFailure: true },
    );
    expect(changed).toBeGreaterThan(0);
  });
});

/** A phase that looks at four columns of a table, and goes by a fifth. */
const STATE = {
  'fleet.yaml': `
version: 1
tenants: { having_tables: [shops, items] }
phases:
  - { name: base, file: base.yaml }
  - { name: search, extension: true, file: search.yaml, owns: { columns: [body, said], methods: [gin] } }
`,
  'base.yaml': `
tables:
  shops:
    columns: { id: { type: integer, nullable: false }, name: text }
    primary_key: { name: shops_pkey, columns: [id] }
  shelves:
    columns: { id: { type: integer, nullable: false } }
    primary_key: { name: shelves_pkey, columns: [id] }
  items:
    columns: { id: { type: integer, nullable: false }, shop: { type: integer, nullable: false, identity: by default }, kind: text, shelf: integer, price: numeric, note: text }
    primary_key: { name: items_pkey, columns: [id] }
    foreign_keys:
      - { name: items_shop, columns: [shop], references: { table: shops, columns: [id] } }
      - { name: items_shelf, columns: [shelf], references: { table: shelves, columns: [id] } }
    indexes: [{ name: items_price, keys: [price] }]
`,
  'search.yaml': `
tables:
  shelves:
    columns: { label: text, tags: jsonb }
    index_families:
      - name: "shelf_\${kind.code}"
        for_each: { kind: [{ value: new, code: n }, { value: used, code: u }] }
        method: gin
        keys: [tags]
        where: "label = \${kind.value}"
  items:
    columns:
      body: { type: jsonb, default: "'{}'" }
      said: { type: tsvector, generated: "to_tsvector('english', kind)" }
      no: { type: bigint, identity: always }
    indexes:
      - { name: items_said, method: gin, keys: [said] }
      - { name: items_body, method: gin, keys: [body], where: "kind = 'new'" }
      - { name: items_no, keys: [no] }
    index_families:
      - name: "member_\${shop.id}"
        for_each: { shop: { table: shops, values: { id: id::text } } }
        method: gin
        keys: [body]
        where: "shop = \${shop.id}::integer"
`,
};

/** What such a plan shows, or goes by. */
const RELEVANT = {
  'a default': "ALTER TABLE items ALTER body SET DEFAULT '[]'",
  'no default': 'ALTER TABLE items ALTER body DROP DEFAULT',
  'NOT NULL': 'ALTER TABLE items ALTER body SET NOT NULL',
  'a column gone': 'ALTER TABLE items DROP COLUMN body',
  'another type': 'DROP INDEX items_body; ALTER TABLE items ALTER body DROP DEFAULT, ALTER body TYPE json',
  'a generation expression':
    "ALTER TABLE items DROP COLUMN said; ALTER TABLE items ADD said tsvector GENERATED ALWAYS AS (to_tsvector('german', kind)) STORED; CREATE INDEX items_said ON items USING gin (said)",
  'no longer generated': 'ALTER TABLE items ALTER said DROP EXPRESSION',
  'an identity’s kind': 'ALTER TABLE items ALTER no SET GENERATED BY DEFAULT',
  'an identity’s increment': 'ALTER TABLE items ALTER no SET INCREMENT BY 2',
  'a declared index gone': 'DROP INDEX items_no',
  'a declared index of another definition': 'DROP INDEX items_no; CREATE INDEX items_no ON items (no DESC)',
  'a declared index’s predicate':
    "DROP INDEX items_body; CREATE INDEX items_body ON items USING gin (body) WHERE kind = 'old'",
  'a declared index’s predicate on a column that no phase speaks of':
    'DROP INDEX items_body; CREATE INDEX items_body ON items USING gin (body) WHERE price > 3',
  'a declared index’s option': 'ALTER INDEX items_said SET (fastupdate = off)',
  'a declared index that is INVALID': `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'items_no'::regclass`,
  'a declared index over a column that no phase speaks of':
    'DROP INDEX items_no; CREATE INDEX items_no ON items (note)',
  'an unexpected owned index': 'CREATE INDEX stray ON items USING gin (body)',
  'a constraint in an index’s place': 'DROP INDEX items_no; ALTER TABLE items ADD CONSTRAINT items_no UNIQUE (no)',
  'a leftover index': 'CREATE INDEX trueup_00000000000000aa ON items (price)',
  'another index under a member’s name': "INSERT INTO shops VALUES (1, 'x'); CREATE INDEX member_1 ON items (price)",
  'an index like a member that no row asks for': 'CREATE INDEX member_2 ON items USING gin (body) WHERE shop = 2',
  'an INVALID index under the name of a member that no row asks for': `CREATE INDEX member_3 ON items (price); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'member_3'::regclass; DROP INDEX items_no`,
  'another index under the name of a member that no row makes':
    'DROP INDEX shelf_n; CREATE INDEX shelf_n ON shelves (id)',
  'a leftover constraint': 'ALTER TABLE items ADD CONSTRAINT trueup_00000000000000ab CHECK (price > 0) NOT VALID',
  'a leftover column': 'ALTER TABLE items ADD trueup_00000000000000ac text',
  'an INVALID index that nobody declares': `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'items_price'::regclass; DROP INDEX items_no`,
  'an unlogged table': 'ALTER TABLE items SET UNLOGGED',
  'another kind of relation':
    'ALTER TABLE items RENAME TO other; CREATE MATERIALIZED VIEW items AS SELECT * FROM other',
  'the table gone': 'DROP TABLE items',
  'a foreign key among its tables, of an unlogged one':
    'ALTER TABLE items DROP CONSTRAINT items_shelf; ALTER TABLE items SET UNLOGGED',
  'the type of a column that a predicate names':
    'DROP INDEX items_body; ALTER TABLE items DROP COLUMN said; ALTER TABLE items ALTER kind TYPE varchar(9)',
};

/** What it has nothing to say of. */
const IRRELEVANT = {
  'a default': "ALTER TABLE items ALTER note SET DEFAULT 'x'",
  'NOT NULL': 'ALTER TABLE items ALTER note SET NOT NULL',
  'another type': 'ALTER TABLE items ALTER price TYPE bigint',
  'a default of a column that a predicate names': "ALTER TABLE items ALTER kind SET DEFAULT 'new'",
  'a check of a column that a predicate names': "ALTER TABLE items ADD CONSTRAINT kinds CHECK (kind <> 'old')",
  'a sequence of a column that a predicate names': 'ALTER TABLE items ALTER shop SET INCREMENT BY 2',
  'a foreign key to a table that only rows are read of': 'ALTER TABLE items DROP CONSTRAINT items_shop',
  'an index gone': 'DROP INDEX items_price',
  'an index more': 'CREATE INDEX notes ON items (note, price) WHERE price > 3',
  'a check': 'ALTER TABLE items ADD CONSTRAINT cheap CHECK (price < 9)',
  'a table that only rows are read of':
    "ALTER TABLE shops ALTER name SET DEFAULT 'x'; CREATE INDEX named ON shops (name)",
};

/** What stands under a name that a family could give, and is none of its members: read apart, it is no part of any shape. */
const NO_MEMBERS = {
  'of another method': 'CREATE INDEX member_9 ON items (price)',
  'with a member beside it':
    "INSERT INTO shops VALUES (1, 'x'); CREATE INDEX member_1 ON items USING gin (body) WHERE shop = 1; CREATE INDEX member_9 ON items (price)",
};

type Look = (
  made: readonly FleetPlan[],
  of: { readonly directory: string; readonly schemas: readonly string[] },
) => void | Promise<void>;

describe('of a tenant that differs from the others', () => {
  /** Tenants with one damage each beside one without any, and the plans of all of them. */
  const planned = async (damages: Readonly<Record<string, string>>, look: Look) => {
    const directory = temporaryDesiredState(STATE);
    const schemas = ['good', ...Object.keys(damages).map((_, at) => `w${at}`)];
    try {
      await fleet.provision(schemas, { directory });
      for (const [at, script] of Object.values(damages).entries()) {
        await bench.query(`SET search_path = w${at}, public`);
        for (const statement of script.split(';')) await bench.query(statement);
      }
      await look(await plans(directory, schemas), { directory, schemas });
    } finally {
      await bench.query('RESET search_path');
      for (const schema of schemas) await bench.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    }
  };

  it('in something that the plan shows or goes by, it says the same and finds it', async () => {
    await planned(RELEVANT, (made) => {
      const [whole = [], ...others] = made.map(said);
      for (const other of others) expect(other).toEqual(whole);
      const sound = whole.filter((one) => 'changes' in one && one.changes.length === 0).map(({ schema }) => schema);
      expect(sound.map((schema) => Object.keys(RELEVANT)[Number(schema.slice(1))] ?? schema)).toEqual(['good']);
    });
  });

  it('it says the same of both, whichever was made first', async () => {
    const directory = temporaryDesiredState(STATE);
    const schemas = ['made_first', 'made_second'];
    try {
      for (const schema of schemas) await fleet.provision([schema], { directory });
      await bench.query('ALTER TABLE made_first.items ALTER body DROP DEFAULT');
      const [whole = [], ...others] = (await plans(directory, schemas)).map(said);
      for (const other of others) expect(other).toEqual(whole);
      expect(whole.map((one) => ('changes' in one ? one.changes.length : null))).toEqual([1, 0]);
    } finally {
      for (const schema of schemas) await bench.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    }
  });

  it('apply finds each as the plan did, and makes it what it should be', async () => {
    const {
      'a default': a,
      'a declared index gone': b,
      'an unexpected owned index': c,
      'a leftover index': d,
    } = RELEVANT;
    await planned({ a, b, c, d, e: IRRELEVANT['an index gone'] }, async (made, of) => {
      // Planned from rough hashes, as a large fleet is; a batch of an apply is hashed exactly.
      Object.assign(way, { isCut: true, isRough: false });
      const { tenants } = await fleet.apply({ ...EXTENSION_PHASES, ...of }, made[3]);
      const ends = tenants
        .map(({ schema, outcome }) => [schema, outcome])
        .filter(([, outcome]) => outcome !== 'in-sync');
      expect(ends).toEqual(['w0', 'w1', 'w2', 'w3'].map((schema) => [schema, 'converged']));
      expect((await fleet.plan({ ...EXTENSION_PHASES, ...of })).databases[0]?.shapes).toBe(1);
    });
  });

  it('in an index under the name of a member that no row asks for, it has nothing to say', async () => {
    await planned(NO_MEMBERS, (made) => {
      for (const one of made.flatMap(said)) expect(one).toMatchObject({ changes: [] });
      expect(made.map((plan) => plan.databases[0]?.shapes)).toEqual([1, 1, 1, 1]);
    });
  });

  it('in anything else, it makes no shape of its own for it', async () => {
    await planned(IRRELEVANT, (made) => {
      for (const one of made.flatMap(said)) expect(one).toMatchObject({ changes: [] });
      const each = Object.keys(IRRELEVANT).length + 1;
      expect(made.map((plan) => plan.databases[0]?.shapes)).toEqual([each, each, 1, 1]);
    });
  });
});
