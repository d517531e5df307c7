import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FleetOutcome } from '../../src/apply/fleet-outcome.js';
import type { Approval } from '../../src/diff/context.js';
import type { FleetPlan } from '../../src/plan/fleet-plan.js';
import { type FleetOptions, itemsOf, openFleet } from '../support/fleet.js';
import { type Cell, matrixInDocs } from '../support/matrix.js';
import { startMatrixServer } from '../support/matrix-server.js';
import type { TestServer } from '../support/postgres/server.js';

/**
 * From every backend to every other. vector, vectorscale and pg_search are the real extensions; vchord, alloydb_scann,
 * pg_diskann, pgroonga, vchord_bm25, pg_tokenizer and pg_textsearch are stand-ins, which store nothing. (The real
 * pg_textsearch that this server has is too old for indexes over expressions; the embedded one is used elsewhere.)
 */
const BACKENDS = {
  vector: {
    pgvector: ['vector'],
    pgvectorscale: ['vector', 'vectorscale'],
    pg_diskann: ['vector', 'pg_diskann'],
    vchord: ['vector', 'vchord'],
    scann: ['vector', 'alloydb_scann'],
  },
  'text-search': {
    native: [],
    vchord: ['pg_tokenizer', 'vchord_bm25'],
    pg_textsearch: ['pg_textsearch'],
    pgroonga: ['pgroonga'],
    pg_search: ['pg_search'],
  },
} as const;

/** Both bring an access method of one name, and a database has one of a name. */
const RIVALS = [
  ['pgvectorscale', 'pg_diskann'],
  ['vchord', 'pg_textsearch', 'pg_search'],
] as const;

const STAND_INS = ['pg_diskann', 'vchord', 'scann', 'pg_textsearch', 'pgroonga'];

type Phase = keyof typeof BACKENDS;

const EVERYTHING: readonly Approval[] = ['rebuild-index', 'rebuild-column'];
const cells: Cell[] = [];
let server: TestServer;

beforeAll(async () => {
  server = await startMatrixServer();
}, 600_000);
afterAll(async () => {
  await server?.remove();
});

describe.each(Object.keys(BACKENDS) as Phase[])('the phase %s', (phase) => {
  const names = Object.keys(BACKENDS[phase]);

  describe.each(names.map((from) => ({ from, said: named(from) })))('from $said', ({ from }) => {
    const template = databaseName('from', phase, from);

    beforeAll(async () => {
      await run('postgres', `CREATE DATABASE ${template}`);
      const extensions = (BACKENDS[phase] as Readonly<Record<string, readonly string[]>>)[from] ?? [];
      for (const extension of new Set(['vector', 'pg_trgm', ...extensions]))
        await run(template, `CREATE EXTENSION IF NOT EXISTS ${extension} CASCADE`);
      const fleet = await openFleet(server.url(template));
      try {
        await fleet.provision(['empty', 'populated'], on(phase, from));
        await run(template, POPULATE);
        await fleet.apply(on(phase, from));
        expect((await fleet.plan(on(phase, from))).summary).toMatchObject({ inSync: 2, drifted: 0 });
      } finally {
        await fleet.close();
      }
    }, 120_000);

    it.each(names.filter((to) => to !== from).map((to) => ({ to, said: named(to) })))(
      'to $said: an empty tenant is switched, a populated one is not unasked',
      async ({ to }) => {
        const database = databaseName(from, phase, to);
        await run('postgres', `CREATE DATABASE ${database} TEMPLATE ${template}`);
        const fleet = await openFleet(server.url(database));
        try {
          const before = await catalog(database);
          const plan = await fleet.plan(on(phase, to));
          const applied = await fleet.apply(on(phase, to), plan);
          const after = await catalog(database);
          // Nothing of a populated tenant changes without approval; where scann has built nothing yet, nothing is replaced.
          if (from !== 'scann') expect(after.populated).toEqual(before.populated);
          if (isAlternative(from, to)) {
            expect(plan.databases[0]?.diagnostics.map((one) => one.code)).toContain('BACKEND_RESOLVED');
            expect(plan.summary).toMatchObject({ inSync: 2, drifted: 0 });
            const resolved = `resolves to ${from}: in sync`;
            cells.push({ phase, from, to, empty: resolved, populated: resolved });
            return;
          }
          if (areRivals(from, to)) {
            expect(outcomeOf(applied, 'empty')).toBe('blocked');
            expect(outcomeOf(applied, 'populated')).toBe('blocked');
            expect(after).toEqual(before);
            cells.push({ phase, from, to, empty: refusal(plan, 'empty'), populated: refusal(plan, 'populated') });
            return;
          }
          // scann cannot be built before there are rows, and what is there serves until then.
          expect(outcomeOf(applied, 'empty')).toBe(to === 'scann' ? 'deferred' : 'converged');
          const inSync = (again: FleetPlan) =>
            expect(itemsOf(again, 'empty').filter(({ change }) => change.status !== 'deferred')).toEqual([]);
          if (from === 'scann') {
            inSync(await fleet.plan(on(phase, to)));
            expect(outcomeOf(applied, 'populated')).toBe('converged');
            const populated = `nothing to replace yet: ${actions(plan, 'populated')}`;
            cells.push({ phase, from, to, empty: actions(plan, 'empty'), populated });
            return;
          }
          expect(statuses(plan, 'populated')).toContain('blocked');
          expect(statuses(plan, 'populated')).not.toContain('pending');
          expect(outcomeOf(applied, 'populated')).toBe('blocked');

          const approved = await fleet.apply(on(phase, to, { allow: EVERYTHING }));
          const last = await fleet.plan(on(phase, to, { allow: EVERYTHING }));
          const outcome = outcomeOf(approved, 'populated');
          inSync(last);
          expect(statuses(last, 'populated').filter((status) => status === 'pending')).toEqual([]);
          if (outcome === 'blocked') expect((await catalog(database)).populated).toEqual(before.populated);
          cells.push({
            phase,
            from,
            to,
            empty: actions(plan, 'empty'),
            populated: `${refusal(plan, 'populated')}; with both approvals: ${outcome === 'blocked' ? refusal(last, 'populated') : outcome}`,
          });
        } finally {
          await fleet.close();
          await run('postgres', `DROP DATABASE ${database} WITH (FORCE)`);
        }
      },
    );
  });
});

it('the matrix in docs/backends.md is the one that these tests found', () => {
  expect(matrixInDocs(cells)).toBe('up to date');
});

/** A bank with a few memories that have embeddings and text, and a mental model: what a populated tenant has of each. */
const POPULATE = `
  INSERT INTO populated.banks (bank_id) VALUES ('b');
  INSERT INTO populated.memory_units (bank_id, text, embedding)
    SELECT 'b', 'memory ' || n, ('[' || n || ',1,2]')::vector FROM generate_series(1, 20) n;
  INSERT INTO populated.mental_models (bank_id, name, source_query, content, embedding)
    VALUES ('b', 'a name', 'a query', 'some content', '[1,2,3]');`;

function on(phase: Phase, backend: string, options: FleetOptions = {}): FleetOptions {
  return { ...options, load: { backends: { [phase]: backend }, parameters: { embedding_dimension: '3' } } };
}

function areRivals(left: string, right: string): boolean {
  return RIVALS.some(
    (rivals) => (rivals as readonly string[]).includes(left) && (rivals as readonly string[]).includes(right),
  );
}

const named = (backend: string): string => (STAND_INS.includes(backend) ? `${backend} (stand-in)` : backend);

/** The backend asked for names the other one as its alternative. */
const isAlternative = (from: string, to: string): boolean => from === 'pg_diskann' && to === 'pgvectorscale';

const databaseName = (...parts: readonly string[]): string => parts.join('_').replaceAll('-', '_');

const outcomeOf = (applied: FleetOutcome, schema: string): string =>
  applied.tenants.find((tenant) => tenant.schema === schema)?.outcome ?? 'missing';

const statuses = (plan: FleetPlan, schema: string): readonly string[] => [
  ...new Set(itemsOf(plan, schema).map(({ change }) => change.status)),
];

/** `2 × replace-column, 2 × create-index`, deferred ones said. */
function actions(plan: FleetPlan, schema: string): string {
  const counts = new Map<string, number>();
  for (const { change } of itemsOf(plan, schema)) {
    const what = change.status === 'deferred' ? `${change.action} (deferred)` : change.action;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].map(([what, count]) => (count === 1 ? what : `${count} × ${what}`)).join(', ');
}

/** Why a tenant is refused, by the first reason that is not another change's. */
function refusal(plan: FleetPlan, schema: string): string {
  const obstacles = itemsOf(plan, schema).flatMap(({ change }) =>
    change.status === 'blocked' ? (change.obstacle ?? '') : [],
  );
  const own = obstacles.find((obstacle) => !/^(?:waits for|the backend of phase|all of the tenant)/u.test(obstacle));
  return `blocked: ${own ?? obstacles[0] ?? '?'}`;
}

async function run(database: string, script: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: server.url(database) });
  await client.connect();
  try {
    return await client.query(script);
  } finally {
    await client.end();
  }
}

/** Indexes and columns of both tenants, by name and definition. */
async function catalog(database: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const { rows } = await run(
    database,
    `SELECT n.nspname, replace(pg_get_indexdef(i.indexrelid), n.nspname || '.', '') || i.indisvalid what
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname IN ('empty', 'populated')
     UNION ALL
     SELECT n.nspname, c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname IN ('empty', 'populated') AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
     ORDER BY 2`,
  );
  const of = (schema: string) => rows.flatMap((row) => (row.nspname === schema ? [String(row.what)] : []));
  return { empty: of('empty'), populated: of('populated') };
}
