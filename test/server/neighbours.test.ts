import { afterEach, describe, expect, it, vi } from 'vitest';
import { readCatalog } from '../../src/catalog/snapshot.js';
import type { FleetPlan } from '../../src/plan/fleet-plan.js';
import { changesOf, type FleetOptions, loadShipped } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

/** Whether tenants are hashed roughly first, as those of a large fleet are. */
const way = vi.hoisted(() => ({ isRough: false }));
vi.mock('../../src/catalog/shape-hash.js', async (original) => ({
  ...(await original<typeof import('../../src/catalog/shape-hash.js')>()),
  get WORTH_ROUGH() {
    return way.isRough ? 1 : 1000;
  },
}));

const on = fleetOnServer();

const directory = temporaryDesiredState({
  'fleet.yaml': `
version: 1
tenants: { having_tables: [items] }
phases:
  - { name: base, file: base.yaml }
  - { name: search, extension: true, file: search.yaml, owns: { columns: [body, said], methods: [gin] } }
  - { name: near, extension: true, file: near.yaml, owns: { columns: [at], methods: [gist] } }
`,
  'base.yaml': `
tables:
  shops:
    columns: { id: { type: text, nullable: false }, kind: text, name: text }
    primary_key: { name: shops_pkey, columns: [id] }
  items:
    columns: { id: { type: integer, nullable: false }, shop: text, kind: text, price: numeric, note: text, at: point }
    primary_key: { name: items_pkey, columns: [id] }
    indexes: [{ name: items_price, keys: [price] }]
materialized_views:
  named: { query: "SELECT name, kind, (SELECT count(*) FROM shops) n FROM shops" }
`,
  'search.yaml': `
tables:
  items:
    columns: { body: jsonb, said: tsvector }
    indexes: [{ name: items_said, method: gin, keys: [said] }]
    index_families:
      - name: "member_\${shop.id}"
        for_each: { shop: { table: shops, values: { id: id::text } } }
        method: gin
        keys: [body]
        where: "kind = \${shop.id}"
`,
  'near.yaml': `
tables:
  items:
    indexes: [{ name: items_at, method: gist, keys: [at] }]
`,
});

const RUNS: Readonly<Record<string, FleetOptions>> = {
  'all phases': {},
  'the routine run': { load: { skipExtensionPhases: true } },
  'one extension phase': { load: { phases: ['search'] } },
  'the other': { load: { phases: ['near'] } },
};

/** Damage to the tenant that was made first, whose tables stand for all that are alike, and to another one. */
const NEIGHBOURS: Readonly<Record<string, { readonly first?: string; readonly other?: string }>> = {
  'a leftover of an interrupted build, of a phase’s own kind': {
    first: 'CREATE INDEX trueup_00000000000000bc ON items USING gin (body)',
  },
  'a leftover that is not the first’s': { other: 'CREATE INDEX trueup_00000000000000bc ON items USING gin (body)' },
  'an index that a phase owns under another phase’s name, and that name free': {
    first: 'DROP INDEX items_price; CREATE INDEX items_price ON items USING gin (body)',
    other: 'DROP INDEX items_price',
  },
  'a name free, and that name taken by an index that a phase owns': {
    first: 'DROP INDEX items_price',
    other: 'DROP INDEX items_price; CREATE INDEX items_price ON items USING gin (body)',
  },
  'an index that one extension phase owns, under the name of the other’s': {
    first: 'DROP INDEX items_at; CREATE INDEX items_at ON items USING gin (body)',
    other: 'DROP INDEX items_at',
  },
  'an index that one extension phase owns, under the name of the other’s member': {
    first: 'DROP INDEX member_a; CREATE INDEX member_a ON items USING gist (at)',
    other: 'DROP INDEX member_a',
  },
  'an INVALID index that a phase owns, where the other phase has something to do': {
    first: `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'items_said'::regclass; DROP INDEX items_price`,
    other: 'DROP INDEX items_price',
  },
  'something to do, where another’s index of a left out phase is INVALID': {
    first: 'DROP INDEX items_price',
    other: `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'items_said'::regclass; DROP INDEX items_price`,
  },
  'a view on a column that is to be retyped': {
    first: 'ALTER TABLE items ALTER note TYPE integer USING NULL; CREATE VIEW v AS SELECT note FROM items',
    other: 'ALTER TABLE items ALTER note TYPE integer USING NULL',
  },
  'a column that is to be retyped, and a view on it elsewhere': {
    first: 'ALTER TABLE items ALTER note TYPE integer USING NULL',
    other: 'ALTER TABLE items ALTER note TYPE integer USING NULL; CREATE VIEW v AS SELECT note FROM items',
  },
  'a policy on a column that is to be retyped': {
    first: 'ALTER TABLE items ALTER note TYPE integer USING NULL',
    other: 'ALTER TABLE items ALTER note TYPE integer USING NULL; CREATE POLICY p ON items USING (note IS NULL)',
  },
  'a view’s table whose columns have changed names': {
    other:
      'ALTER TABLE shops RENAME name TO was; ALTER TABLE shops RENAME kind TO name; ALTER TABLE shops RENAME was TO kind',
  },
  'a view’s table that another inherits from': {
    other: 'CREATE TABLE child () INHERITS (shops); DROP INDEX items_price',
  },
  'a view’s table that another inherits from, the first’s': {
    first: 'CREATE TABLE child () INHERITS (shops); DROP INDEX items_price',
  },
  'members whose words mean something else over a column of another type': {
    first:
      "DROP INDEX member_a, member_b; ALTER TABLE items ALTER kind TYPE varchar; CREATE INDEX member_a ON items USING gin (body) WHERE kind::text = 'a'; CREATE INDEX member_b ON items USING gin (body) WHERE kind::text = 'b'",
    other:
      "DROP INDEX member_a, member_b; ALTER TABLE items ALTER kind TYPE char(12); CREATE INDEX member_a ON items USING gin (body) WHERE kind::text = 'a'; CREATE INDEX member_b ON items USING gin (body) WHERE kind::text = 'b'",
  },
  'an operator class in the first’s own schema': {
    first:
      'CREATE OPERATOR CLASS own FOR TYPE tsvector USING gin AS OPERATOR 1 @@ (tsvector, tsquery), FUNCTION 1 gin_cmp_tslexeme(text, text), FUNCTION 2 gin_extract_tsvector(tsvector, internal, internal), FUNCTION 3 gin_extract_tsquery(tsvector, internal, int2, internal, internal, internal, internal), FUNCTION 4 gin_tsquery_consistent(internal, int2, tsvector, int4, internal, internal, internal, internal), STORAGE text; DROP INDEX items_said; CREATE INDEX items_said ON items USING gin (said own)',
    other: 'DROP INDEX items_said; CREATE INDEX items_said ON items USING gin (said first.own)',
  },
  'rows of a family that cannot be computed': {
    other:
      'ALTER TABLE shops RENAME TO hidden; CREATE VIEW shops AS SELECT * FROM hidden WHERE 1 / (length(id) - length(id)) > 0',
  },
  'foreign keys on a key whose index is INVALID': {
    other:
      "ALTER TABLE shops ADD of text REFERENCES shops; ALTER TABLE items ADD FOREIGN KEY (shop) REFERENCES shops; UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'shops_pkey'::regclass",
  },
};

const SCHEMAS = ['first', 'sound', 'other'];

/** What a plan says of each tenant, to the letter. */
const said = (...plans: readonly FleetPlan[]) =>
  plans
    .flatMap(({ databases }) => databases)
    .flatMap((one) => [
      ...one.tenants.map(({ schema, changes }) => ({ schema, changes })),
      ...one.unreadable.map(({ schema, message }) => ({ schema, message })),
    ])
    .sort((left, right) => (left.schema < right.schema ? -1 : 1));

describe('a plan says of a tenant what it says of it alone, beside', () => {
  it.each(Object.entries(NEIGHBOURS))('%s', async (_, damage) => {
    try {
      for (const schema of SCHEMAS) await on.fleet.provision([schema], { directory });
      for (const schema of SCHEMAS) await on.database.exec(`INSERT INTO ${schema}.shops VALUES ('a'), ('b')`);
      await on.fleet.apply({ directory });
      for (const [schema, script] of Object.entries(damage)) {
        await on.database.query(`SET search_path = ${schema}, public`);
        for (const statement of script.split('; ')) await on.database.query(statement);
      }
      let found = 0;
      for (const [run, options] of Object.entries(RUNS)) {
        const plans: FleetPlan[] = [];
        for (const schema of SCHEMAS) plans.push(await on.fleet.plan({ ...options, directory, schemas: [schema] }));
        const alone = said(...plans);
        for (const isRough of [false, true]) {
          way.isRough = isRough;
          const together = said(await on.fleet.plan({ ...options, directory }));
          expect({ run, isRough, said: together }).toEqual({ run, isRough, said: alone });
        }
        way.isRough = false;
        found += JSON.stringify(alone).split('"action"').length - 1;
      }
      expect(found).toBeGreaterThan(0);
    } finally {
      await on.database.query('RESET search_path');
      for (const schema of SCHEMAS) await on.database.exec(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    }
  });
});

describe('an index of a phase that the run leaves out', () => {
  const ROUTINE: FleetOptions = { directory, ...RUNS['the routine run'] };

  /** The changes that a plan holds for one tenant, damaged like this. */
  const planned = async (script: string, options: FleetOptions = ROUTINE) => {
    await on.fleet.provision(['first'], { directory });
    await on.database.exec(`INSERT INTO first.shops VALUES ('a')`);
    await on.fleet.apply({ directory });
    await on.database.exec(`SET search_path = first, public; ${script}; RESET search_path`);
    return changesOf(await on.fleet.plan(options), 'first');
  };
  afterEach(() => on.database.exec('DROP SCHEMA IF EXISTS first CASCADE'));

  it('is nobody’s business where it is in nothing’s way', async () => {
    expect(await planned('CREATE INDEX stray ON items USING gin (body); DROP INDEX items_said')).toEqual([]);
  });

  it('is in no tenant’s shape', async () => {
    await planned('CREATE INDEX stray ON items USING gin (body)');
    const session = await on.fleet.database.connect();
    try {
      const selection = { schemas: ['first'], exclude: [], allowEmpty: false, allowAbsent: false };
      const { groups } = await readCatalog(session, await loadShipped(ROUTINE), selection);
      const indexes = groups.flatMap(({ tables }) => tables.get('items')?.shape.indexes ?? []);
      expect(indexes.map(({ name }) => name)).toEqual(['items_price']);
    } finally {
      await session.close();
    }
  });

  it('is cleared away as a leftover', async () => {
    const script = 'CREATE INDEX trueup_00000000000000bc ON items USING gin (body)';
    expect(await planned(script)).toEqual(['drop-index items.trueup_00000000000000bc pending']);
  });

  it('gives way to what is declared under its name', async () => {
    const script = 'DROP INDEX items_price; CREATE INDEX items_price ON items USING gin (body)';
    expect(await planned(script)).toEqual(['rebuild-index items.items_price pending']);
  });

  it('gives way to the member that the rows ask for under its name', async () => {
    const script = 'DROP INDEX member_a; CREATE INDEX member_a ON items USING gist (at)';
    const found = await planned(script, { directory, ...RUNS['one extension phase'] });
    expect(found).toEqual(['rebuild-index items.member_${shop.id} pending']);
  });

  it('is not met while another session builds it', async () => {
    const builder = await on.database.connect();
    try {
      const invalid = `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'items_said'::regclass`;
      expect(await planned(`${invalid}; DROP INDEX items_price`)).toEqual(['create-index items.items_price pending']);
      await builder.query('BEGIN; LOCK TABLE first.items IN SHARE UPDATE EXCLUSIVE MODE');
      expect(changesOf(await on.fleet.plan(ROUTINE), 'first')).toEqual(['create-index items.items_price deferred']);
    } finally {
      await builder.end();
    }
  });
});
