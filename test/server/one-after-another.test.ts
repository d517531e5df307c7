import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type FleetUnderTest, openFleet } from '../support/fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

// A program that has the library loaded and makes runs one after another over one database.

let test: TestDatabase;
let fleet: FleetUnderTest;
const directory = mkdtempSync(join(tmpdir(), 'trueup-after-'));

beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
});
beforeEach(() => fleet.anew());
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await fleet.close();
  await test.drop();
});

const advisoryLocks = () =>
  test.query(`SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
               WHERE l.locktype = 'advisory'`);

const connectionsBegun = () => fleet.statements.filter((sql) => sql.includes('server_version_num')).length;

it('C1: makes the second tenant over the connection that made the first, on which no lock is left', async () => {
  await fleet.provision(['first']);
  expect([connectionsBegun(), fleet.database.spare]).toEqual([1, 1]);
  expect(await advisoryLocks()).toEqual([]);
  await fleet.provision(['second']);
  expect([connectionsBegun(), fleet.database.spare]).toEqual([1, 1]);
  expect((await fleet.plan()).summary).toMatchObject({ tenants: 2, inSync: 2 });
  await test.exec('DROP SCHEMA first CASCADE; DROP SCHEMA second CASCADE');
});

/** What reads tables in detail, or has the server judge an expression or a view. */
const looksClosely = () =>
  fleet.statements.filter((sql) =>
    /^\s*(?:EXPLAIN|select (?:c\.oid|a\.attrelid|k\.conrelid|pg_catalog\.pg_get_viewdef))/u.test(sql),
  );

it('C1: looks closely at the first that it has made, and at another only where that looks different', async () => {
  // Another program: it has made none.
  await fleet.close();
  fleet = await openFleet(test.url);
  await fleet.provision(['one']);
  expect(looksClosely()).not.toEqual([]);
  fleet.forget();
  await fleet.provision(['two', 'three']);
  expect(looksClosely()).toEqual([]);

  // Whatever makes another of what was asked for: here a trigger of somebody else's.
  await test.exec(`
    CREATE FUNCTION public.meddle() RETURNS event_trigger LANGUAGE plpgsql AS $$
    DECLARE made record;
    BEGIN
      FOR made IN SELECT object_identity FROM pg_event_trigger_ddl_commands() LOOP
        IF made.object_identity = 'four.directives' THEN ALTER TABLE four.directives ALTER priority SET DEFAULT 7; END IF;
        IF made.object_identity = 'five.idx_mental_models_embedding' THEN ALTER INDEX five.idx_mental_models_embedding SET (m = 8); END IF;
      END LOOP;
    END $$;
    CREATE EVENT TRIGGER meddle ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'CREATE INDEX') EXECUTE FUNCTION public.meddle()`);
  await fleet.provision(['four', 'five']);
  await test.exec('DROP EVENT TRIGGER meddle');
  expect(looksClosely()).not.toEqual([]);
  // Both were put right by another turn.
  const again = fleet.statements.filter((sql) =>
    /^(?:ALTER TABLE four\.directives ALTER|CREATE INDEX trueup_)/u.test(sql),
  );
  expect(again.sort()).toEqual([
    'ALTER TABLE four.directives ALTER COLUMN priority SET DEFAULT 0',
    expect.stringMatching(/^CREATE INDEX trueup_\w+ ON five\.mental_models USING hnsw/u),
  ]);
  expect((await fleet.plan({ schemas: ['four', 'five'] })).summary).toMatchObject({ inSync: 2 });
});

it('leaves no lock on it where a batch failed before it had all of its locks', async () => {
  writeFileSync(
    join(directory, 'fleet.yaml'),
    `version: 1
tenants: { having_tables: [items] }
migration_lock: { key: "1 / (char_length(schema) - 3)" }
phases: [{ name: base, file: base.yaml }]
`,
  );
  writeFileSync(join(directory, 'base.yaml'), 'tables:\n  items:\n    columns: { id: bigint }\n');
  const outcome = await fleet.apply({ directory, schemas: ['abc'], createSchema: true });
  expect(outcome.tenants).toMatchObject([{ schema: 'abc', outcome: 'failed', error: { sqlstate: '22012' } }]);
  // Else it would have been let go of with the connection.
  expect(fleet.database.spare).toBe(1);
  expect(await advisoryLocks()).toEqual([]);
});

it('C1: makes a tenant by what the database says of its extensions now', async () => {
  await fleet.provision(['before']);
  await test.exec('CREATE SCHEMA elsewhere; ALTER EXTENSION pg_trgm SET SCHEMA elsewhere');
  await fleet.provision(['after']);
  expect((await fleet.plan({ schemas: ['before', 'after'] })).summary).toMatchObject({ inSync: 2 });
});
