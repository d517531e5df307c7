import { afterAll, beforeAll, expect, it } from 'vitest';
import { TrueupError } from '../../src/trueup-error.js';
import { changesOf, type FleetUnderTest, openFleet } from '../support/fleet.js';

const PG_TEXTSEARCH = { load: { backends: { 'text-search': 'pg_textsearch' } } };

let fleet: FleetUnderTest;
beforeAll(async () => {
  fleet = await openFleet(null);
});
afterAll(() => fleet?.close());

const ddl = () => fleet.statements.filter((sql) => /^\s*(?:CREATE|ALTER|DROP)\b/u.test(sql));

async function query(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const session = await fleet.database.connect();
  try {
    return await session.query(sql);
  } finally {
    await session.close();
  }
}

it('B8: makes the extensions that are only available once, in their declared schema, whatever the tenants', async () => {
  await fleet.provision(['t1', 't2'], PG_TEXTSEARCH);
  const creations = fleet.statements.filter((sql) => sql.startsWith('CREATE EXTENSION'));
  expect(creations.map((sql) => /"?(\w+)"? SCHEMA (\w+)/u.exec(sql)?.slice(1, 3)).sort()).toEqual([
    ['pg_textsearch', 'public'],
    ['pg_trgm', 'public'],
    ['vector', 'public'],
  ]);
  const placed = await query(
    `SELECT extname AS name FROM pg_extension WHERE extname <> 'plpgsql' AND extnamespace = 'public'::regnamespace ORDER BY 1`,
  );
  expect(placed.map((row) => row.name)).toEqual(['pg_textsearch', 'pg_trgm', 'vector']);
  const plan = await fleet.plan(PG_TEXTSEARCH);
  expect(plan.databases[0]?.databaseChanges).toEqual([]);
  expect(plan.summary).toMatchObject({ tenants: 2, inSync: 2 });
});

it('B16: a fleet on pg_textsearch is not converted to native because nobody named a backend', async () => {
  const refused = async (run: Promise<unknown>) => {
    const error: unknown = await run.then(
      () => null,
      (reason: unknown) => reason,
    );
    if (!(error instanceof TrueupError)) throw error ?? new Error('it was not refused');
    return error;
  };
  fleet.forget();
  const error = await refused(fleet.plan());
  expect(error.code).toBe('BACKEND_NOT_NAMED');
  expect(error.message).toContain('pg_textsearch');
  expect(error.options.remedy).toContain('--backend text-search=pg_textsearch');
  expect((await refused(fleet.apply())).code).toBe('BACKEND_NOT_NAMED');
  expect(ddl()).toEqual([]);
});

it('B16: it says nothing where the text-search phase is no part of the run', async () => {
  const base = await fleet.plan({ load: { skipExtensionPhases: true } });
  expect(base.summary).toMatchObject({ inSync: 2 });
  const vector = await fleet.plan({ load: { phases: ['vector'] } });
  expect(vector.summary).toMatchObject({ inSync: 2 });
});

it('B16: named by the variable, native replaces the indexes of tenants without rows', async () => {
  const native = { load: { environment: { HINDSIGHT_API_TEXT_SEARCH_EXTENSION: 'native' } }, schemas: ['t2'] };
  expect(changesOf(await fleet.plan(native), 't2').length).toBeGreaterThan(0);
  expect((await fleet.apply(native)).tenants.map(({ outcome, error }) => [outcome, error])).toEqual([
    ['converged', null],
  ]);
  expect(changesOf(await fleet.plan(native), 't2')).toEqual([]);
  // Mixed now: one tenant still runs the other, so that a default must still replace nothing.
  await expect(fleet.plan()).rejects.toMatchObject({ code: 'BACKEND_NOT_NAMED' });
});
