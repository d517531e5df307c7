import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { changesOf, type FleetUnderTest, itemsOf, openFleet } from '../support/fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const FLEET = `
version: 1
tenants: { having_tables: [notes] }
phases: [{ name: base, file: base.yaml }]
`;

const BASE = `
tables:
  notes:
    columns:
      id: { type: bigint, nullable: false }
      code: { type: text, nullable: false }
      tag: { type: text, nullable: false, default: "''" }
    primary_key: { name: notes_pkey, columns: [id] }
    unique: [{ name: notes_code_key, columns: [code] }]
    indexes: [{ name: notes_both, keys: [id, code], unique: true }]
`;

let test: TestDatabase;
let fleet: FleetUnderTest;
const directory = mkdtempSync(join(tmpdir(), 'trueup-replica-identity-'));
const options = { directory };

beforeAll(async () => {
  writeFileSync(join(directory, 'fleet.yaml'), FLEET);
  writeFileSync(join(directory, 'base.yaml'), BASE);
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
});

afterAll(async () => {
  await fleet?.close();
  await test?.drop();
  rmSync(directory, { recursive: true, force: true });
});

it.each([
  {
    what: 'an index',
    schema: 'by_index',
    of: 'notes_both',
    damage: 'DROP INDEX S.notes_both; CREATE UNIQUE INDEX notes_both ON S.notes (code)',
    action: 'rebuild-index',
  },
  {
    what: 'a key',
    schema: 'by_key',
    of: 'notes_code_key',
    damage: 'ALTER TABLE S.notes DROP CONSTRAINT notes_code_key, ADD CONSTRAINT notes_code_key UNIQUE (id, code)',
    action: 'replace-constraint',
  },
  {
    what: 'an index under the name of a key',
    schema: 'by_squatter',
    of: 'notes_code_key',
    damage:
      'ALTER TABLE S.notes DROP CONSTRAINT notes_code_key; CREATE UNIQUE INDEX notes_code_key ON S.notes (id, code)',
    action: 'replace-constraint',
  },
  {
    what: 'an index under the name of a key that was renamed',
    schema: 'by_room',
    of: 'notes_code_key',
    damage:
      'ALTER TABLE S.notes RENAME CONSTRAINT notes_code_key TO kept; CREATE UNIQUE INDEX notes_code_key ON S.notes (id, code)',
    action: 'rename-constraint',
  },
  {
    what: 'a key under the name of an index',
    schema: 'by_constraint',
    of: 'notes_both',
    damage: 'DROP INDEX S.notes_both; ALTER TABLE S.notes ADD CONSTRAINT notes_both UNIQUE (code, id)',
    action: 'rebuild-index',
  },
])(
  '$what that a published table is replicated by is not replaced: every UPDATE would fail',
  async ({ schema, of, damage, action }) => {
    await fleet.provision([schema], options);
    await test.exec(`${damage.replaceAll('S.', `${schema}.`)};
      ALTER TABLE ${schema}.notes REPLICA IDENTITY USING INDEX ${of};
      INSERT INTO ${schema}.notes VALUES (1, 'a');
      CREATE PUBLICATION ${schema} FOR TABLE ${schema}.notes`);
    const narrow = { ...options, schemas: [schema] };
    const plan = await fleet.plan(narrow);
    expect(changesOf(plan, schema)).toEqual([`${action} notes.${of} blocked`]);
    expect(itemsOf(plan, schema)[0]?.change.obstacle).toMatch(/replica identity/u);
    expect((await fleet.apply(narrow)).summary).toMatchObject({ blocked: 1, converged: 0 });
    await test.exec(`UPDATE ${schema}.notes SET code = 'b'`);

    await test.exec(`ALTER TABLE ${schema}.notes REPLICA IDENTITY FULL`);
    expect((await fleet.apply(narrow)).summary).toMatchObject({ converged: 1 });
    await test.exec(`UPDATE ${schema}.notes SET code = 'c';
      ALTER TABLE ${schema}.notes REPLICA IDENTITY USING INDEX ${of}`);
    expect(changesOf(await fleet.plan(narrow), schema)).toEqual([]);
  },
);

it('a column is not replaced where the index goes with it that the table is replicated by', async () => {
  const schema = 'by_column';
  await fleet.provision([schema], options);
  await test.exec(`ALTER TABLE ${schema}.notes DROP COLUMN tag, ADD COLUMN tag integer NOT NULL DEFAULT 0;
    CREATE UNIQUE INDEX notes_tag ON ${schema}.notes (tag);
    ALTER TABLE ${schema}.notes REPLICA IDENTITY USING INDEX notes_tag`);
  const narrow = { ...options, schemas: [schema] };
  const plan = await fleet.plan(narrow);
  expect(changesOf(plan, schema)).toEqual(['replace-column notes.tag blocked']);
  expect(itemsOf(plan, schema)[0]?.change.obstacle).toMatch(/notes_tag is the replica identity/u);

  await test.exec(`ALTER TABLE ${schema}.notes REPLICA IDENTITY DEFAULT`);
  expect((await fleet.apply(narrow)).summary).toMatchObject({ converged: 1 });
  expect(changesOf(await fleet.plan(narrow), schema)).toEqual([]);
});

const OWNING = `
version: 1
tenants: { having_tables: [notes] }
phases:
  - { name: base, file: base.yaml }
  - { name: search, extension: true, file: search.yaml, owns: { columns: [code], methods: [btree] } }
`;

const SEARCH = `
tables:
  notes:
    indexes: [{ name: notes_search, keys: [code] }]
    index_families:
      - name: "by_\${tag.label}"
        for_each: { tag: { table: tags, values: { label: label } } }
        keys: [code]
        where: "tag = \${tag.label}"
`;

const TAGS = `
  tags:
    columns: { label: { type: text, nullable: false } }
    primary_key: { name: tags_pkey, columns: [label] }
`;

it.each([
  { what: 'a declared one', schema: 'owned', of: 'notes_search', change: 'rebuild-index notes.notes_search' },
  { what: 'one that nothing declares', schema: 'odd', of: 'odd', change: 'drop-index notes.odd' },
  { what: 'a member', schema: 'member', of: 'by_new', change: 'rebuild-index notes.by_${tag.label}' },
  { what: 'a member without a row', schema: 'orphan', of: 'by_gone', change: 'drop-index notes.by_${tag.label}' },
])(
  'of indexes that a phase owns, $what is not dropped either, whatever another tenant is replicated by',
  async ({ schema, of, change }) => {
    const owning = mkdtempSync(join(tmpdir(), 'trueup-replica-identity-'));
    try {
      writeFileSync(join(owning, 'fleet.yaml'), OWNING);
      writeFileSync(join(owning, 'base.yaml'), BASE + TAGS);
      writeFileSync(join(owning, 'search.yaml'), SEARCH);
      const schemas = [`${schema}_plain`, schema];
      const narrow = { directory: owning, schemas };
      await fleet.provision(schemas, narrow);
      for (const each of schemas)
        await test.exec(`INSERT INTO ${each}.tags VALUES ('new');
          DROP INDEX IF EXISTS ${each}.${of}; CREATE UNIQUE INDEX ${of} ON ${each}.notes (code)`);
      await test.exec(`ALTER TABLE ${schema}.notes REPLICA IDENTITY USING INDEX ${of}`);
      const plan = await fleet.plan(narrow);
      expect(changesOf(plan, schema)).toContain(`${change} blocked`);
      expect(changesOf(plan, `${schema}_plain`)).toContain(`${change} pending`);
      await fleet.apply(narrow);
      const identity = await test.query(
        `SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
          WHERE i.indrelid = '${schema}.notes'::regclass AND i.indisreplident`,
      );
      expect(identity).toEqual([{ relname: of }]);
    } finally {
      rmSync(owning, { recursive: true, force: true });
    }
  },
);
