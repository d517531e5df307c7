import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WORTH_A_SESSION } from '../../src/catalog/shared-snapshot.js';
import { changesOf, type FleetUnderTest, itemsOf, openFleet, summary } from '../support/fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const directory = mkdtempSync(join(tmpdir(), 'trueup-two-sessions-'));
writeFileSync(
  join(directory, 'fleet.yaml'),
  `version: 1
tenants: { having_tables: [notes, stamp] }
phases: [{ name: base, file: base.yaml, owns: { columns: [id], methods: [btree] } }]
release: { table: stamp, column: release, accepts: ["2"] }
`,
);
writeFileSync(
  join(directory, 'base.yaml'),
  `tables:
  notes:
    columns: { id: { type: bigint, nullable: false }, kind: { type: text, nullable: false } }
    primary_key: { name: notes_pkey, columns: [id] }
    index_families:
      - name: "notes_of_\${stamp.release}"
        for_each: { stamp: { table: stamp, values: { release: release } } }
        keys: [id]
        where: "kind = \${stamp.release}"
  stamp:
    columns: { release: { type: text, nullable: false } }
    primary_key: { name: stamp_pkey, columns: [release] }
`,
);

/** So many lack a NOT NULL; the rest is in order. */
const DRIFTING = WORTH_A_SESSION + 10;
const schemas = Array.from({ length: DRIFTING + 9 }, (_, at) => `t${String(at).padStart(3, '0')}`);
/**
 * Each seventh is at another release, each fifth holds a row (not the first of either session), each third has a member
 * that no row asks for.
 */
const isOther = (at: number) => at % 7 === 0;
const holdsRow = (at: number) => at % 5 === 1;
const hasOrphan = (at: number) => at % 3 === 0;

let test: TestDatabase;
let fleet: FleetUnderTest;
beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  const sql = schemas.map((schema, at) => {
    const release = isOther(at) ? '1' : '2';
    return `CREATE SCHEMA ${schema};
      CREATE TABLE ${schema}.stamp (release text CONSTRAINT stamp_pkey PRIMARY KEY);
      INSERT INTO ${schema}.stamp VALUES ('${release}');
      CREATE TABLE ${schema}.notes (id bigint CONSTRAINT notes_pkey PRIMARY KEY, kind text${at < DRIFTING ? '' : ' NOT NULL'});
      CREATE INDEX notes_of_${release} ON ${schema}.notes (id) WHERE kind = '${release}';
      ${hasOrphan(at) ? `CREATE INDEX notes_of_3 ON ${schema}.notes (id) WHERE kind = '3';` : ''}
      ${holdsRow(at) ? `INSERT INTO ${schema}.notes VALUES (1, ${at < DRIFTING ? 'NULL' : "'a'"});` : ''}`;
  });
  for (let at = 0; at < sql.length; at += 64) await test.exec(sql.slice(at, at + 64).join('\n'));
});
afterAll(async () => {
  await fleet?.close();
  await test?.drop();
  rmSync(directory, { recursive: true, force: true });
});

it('a fleet that two sessions read shows in each tenant what one session sees: shapes, members, rows and releases', async () => {
  const connected: number[] = [];
  const { database } = fleet;
  const connect = database.connect.bind(database);
  database.connect = () => {
    connected.push(Date.now());
    return connect();
  };
  fleet.forget();
  const together = await fleet.plan({ directory });
  const byTwo = connected.length;
  // The tables that members' rows stand in are looked at once for all tenants, while what was found is read in detail.
  expect(fleet.statements.filter((sql) => sql.includes('relrowsecurity')).length).toBe(1 + 2);
  const alone = await fleet.plan({ directory, schemas });
  expect(connected.length - byTwo).toBe(1);
  // The first, and one beside it for the catalogs, the look at what can be copied, the members, the releases and the rows.
  expect(byTwo).toBe(6);

  for (const schema of schemas)
    expect([schema, changesOf(together, schema)]).toEqual([schema, changesOf(alone, schema)]);
  for (const [at, schema] of schemas.entries()) {
    const found = itemsOf(together, schema).map(({ change }) => [summary(change), change.steps.length > 1]);
    const column = [`alter-column notes.kind ${isOther(at) ? 'deferred' : 'pending'}`, holdsRow(at)] as const;
    const orphan = ['drop-index notes.notes_of_${stamp.release} pending', true] as const;
    expect([schema, found]).toEqual([schema, [...(at < DRIFTING ? [column] : []), ...(hasOrphan(at) ? [orphan] : [])]]);
  }
});

it('a fleet is planned alike where no session is to be had to look ahead at what can be copied', async () => {
  const { database } = fleet;
  const connect = database.connect;
  let asked = 0;
  // The first is the plan's own, the second reads the catalogs beside it.
  database.connect = () => {
    asked += 1;
    return asked === 3 ? Promise.reject(new Error('no connection is left')) : connect();
  };
  try {
    const plan = await fleet.plan({ directory });
    expect(asked).toBe(6);
    const alone = await fleet.plan({ directory, schemas });
    for (const schema of schemas) expect([schema, changesOf(plan, schema)]).toEqual([schema, changesOf(alone, schema)]);
  } finally {
    database.connect = connect;
  }
});
