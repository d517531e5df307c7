import { afterAll, beforeAll, expect, it } from 'vitest';
import { changesOf, type FleetUnderTest, openFleet } from '../support/fleet.js';
import { inspected } from '../support/inspected.js';
import { inspectsAnything } from '../support/random/inspection.js';

let fleet: FleetUnderTest;
beforeAll(async () => {
  fleet = await openFleet(null);
});
afterAll(() => fleet?.close());

let path = '';
/** The one session there is: taken for each statement, so that the library finds it free. */
const query = async (sql: string) => {
  const session = await fleet.database.connect();
  try {
    if (sql.startsWith('SET search_path')) path = sql;
    if (path !== '') await session.query(path);
    return await session.query(sql);
  } finally {
    await session.close();
  }
};

it('what only PostgreSQL 18 has is left out, and the tenant is in sync', async () => {
  for (const sql of [
    'CREATE SCHEMA new_things',
    `CREATE TABLE new_things.t (id bigserial PRIMARY KEY, a integer NOT NULL, twice integer GENERATED ALWAYS AS (a * 2) VIRTUAL,
       unchecked integer, CONSTRAINT loose CHECK (a > 0) NOT ENFORCED)`,
    'CREATE TABLE new_things.periods (rooms int4range, during tstzrange, CONSTRAINT periods_pkey PRIMARY KEY (rooms, during WITHOUT OVERLAPS))',
    'INSERT INTO new_things.t (a) VALUES (1)',
    'ALTER TABLE new_things.t ADD CONSTRAINT t_unchecked NOT NULL unchecked NOT VALID',
    'CREATE INDEX t_a ON new_things.t (a)',
  ])
    await query(sql);
  const found = await inspected(fleet.database, 'new_things');
  expect(found.notes.map(({ what, why }) => `${what}: ${why}`)).toEqual([
    'column twice of t: the format has no virtual generated columns',
    'column unchecked of t: its NOT NULL is NOT VALID, and the format declares what holds for every row',
    'constraint loose of t: it is NOT ENFORCED',
    'constraint periods_pkey of periods: it is WITHOUT OVERLAPS or PERIOD',
  ]);
  const plan = await fleet.plan({ directory: found.directory });
  expect(plan.databases[0]?.serverVersion.startsWith('18')).toBe(true);
  expect(changesOf(plan, 'new_things')).toEqual([]);
});

it('whatever a tenant is, its files are in sync on the embedded PostgreSQL 18', { timeout: 3_600_000 }, async () => {
  await inspectsAnything({ fleet, query }, 3);
});
