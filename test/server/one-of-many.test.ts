import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/apply/request.js';
import { analyzed, scansBeyond } from '../support/plan-nodes.js';
import { fleetOnServer } from '../support/server-fleet.js';
import { smallFleet } from '../support/small-fleet.js';

const TENANTS = 400;
/**
 * More rows than one tenant has in any catalog, or PostgreSQL's own operator classes; fewer than its neighbours have of one
 * name.
 */
const FEW = 200;

const on = fleetOnServer();
const files = smallFleet();
beforeAll(async () => {
  const made = (at: number) =>
    at < 2
      ? files.tenant(`t${at}`, at === 0 ? 50 : 0)
      : `${files.tenant(`t${at}`, 0)} CREATE INDEX notes_slow ON t${at}.notes (md5(repeat(body, 20000)));`;
  for (let from = 0; from < TENANTS; from += 100)
    await on.database.exec(Array.from({ length: 100 }, (_, at) => made(from + at)).join('\n'));
});
afterAll(() => files.remove());

const GROWING = ['pg_class', 'pg_namespace', 'pg_index', 'pg_attribute', 'pg_attrdef', 'pg_constraint'];
const READS = /^\s*(?:select|with)\s[\s\S]*\bpg_catalog\.pg_/iu;

it('what is asked of tenants one by one, with an index built online and a key replaced, or in a transaction that somebody holds up, goes through no catalogs of their neighbours', async () => {
  const options = { directory: files.directory, schemas: ['t0'] };
  await on.database.exec('ALTER TABLE t0.notes DROP CONSTRAINT notes_pkey, ADD CONSTRAINT notes_pkey UNIQUE (id)');
  on.fleet.forget();
  expect((await on.fleet.apply(options)).summary).toMatchObject({ converged: 1 });
  const reader = await on.database.connect();
  try {
    await reader.query('BEGIN; LOCK TABLE t1.notes IN ROW EXCLUSIVE MODE');
    const limits = { ...DEFAULT_LIMITS, lockTimeout: 100, attempts: 1 };
    const held = await on.fleet.apply({ ...options, schemas: ['t1'], run: { limits } });
    expect(held.tenants).toMatchObject([{ outcome: 'failed', error: { message: expect.stringContaining('held by') } }]);
    const reads = new Map(on.fleet.sent.filter(({ sql }) => READS.test(sql)).map((one) => [one.sql, one]));
    expect(reads.size).toBeGreaterThan(10);
    expect([...reads.keys()].some((sql) => sql.includes('f.conindid'))).toBe(true);
    // As in a new database, whose statistics are those of one without tenants; and as after a restore of it.
    for (const statistics of ['', 'DELETE FROM pg_statistic']) {
      await reader.query(`ROLLBACK; BEGIN; ${statistics}`);
      const found = [];
      for (const { sql, parameters } of reads.values())
        for (const scan of scansBeyond(await analyzed(reader, sql, parameters), GROWING, FEW))
          found.push(`${scan}: ${sql.trim().slice(0, 200)}`);
      expect(found, statistics).toEqual([]);
    }
  } finally {
    await reader.query('ROLLBACK');
    await reader.end();
  }
});
