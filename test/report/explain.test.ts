import { Ansis } from 'ansis';
import { describe, expect, it } from 'vitest';
import { type ExplainedIndex, type Explanation, type ProbeResult, VERDICTS } from '../../src/explain/explanation.js';
import { explainDocument } from '../../src/report/explain-json.js';
import { explainText } from '../../src/report/explain-text.js';
import { MemberNames } from '../../src/report/member-names.js';
import explainSchema from '../../src/report/schema/explain.schema.json' with { type: 'json' };
import { problems } from '../support/closed-schema.js';
import { desiredState } from '../support/plan-fixture.js';

const index = (name: string, oid: string, fields: Partial<ExplainedIndex> = {}): ExplainedIndex => ({
  oid,
  name,
  method: 'hnsw',
  extension: 'vector',
  valid: true,
  partial: true,
  bytes: 6_700_000,
  ...fields,
});
const MEMBER = index('items_body_n_acme', '16400');
const GLOBAL = index('items_body', '16401', { partial: false });
const plan = (
  kinds: readonly string[],
  cost: number,
  executed: { rows: number; milliseconds: number } | null = null,
) => ({
  nodes: kinds.map((kind, depth) => ({ kind, depth, index: depth === 1 ? MEMBER.name : null })),
  cost,
  rows: 100,
  executed,
});

const served: ProbeResult = {
  database: 'main',
  schema: 't1',
  phase: 'search',
  probe: 'find',
  description: null,
  table: 'items',
  verdict: 'member',
  ok: true,
  reason: "the planner takes the partition's own index",
  remedy: null,
  partition: {
    values: { 'kind.value': 'new', 'shop.id': 'acme' },
    fromRows: ['shop.id'],
    chosen: false,
    rows: { counted: 10_001, capped: true },
  },
  exactRows: 10_000,
  expected: {
    serves: { kind: 'family', label: 'items_body_${kind.code}_${shop.short}' },
    name: MEMBER.name,
    found: MEMBER,
    state: 'valid',
  },
  used: [MEMBER],
  plan: plan(['Limit', 'Index Scan'], 423.4, { rows: 100, milliseconds: 1.62 }),
  stale: [GLOBAL],
  without: null,
  settings: { 'hnsw.ef_search': '200', 'no.such': '1' },
  unknownSettings: ['no.such'],
  query:
    "SELECT id FROM t1.items WHERE shop = 'acme'\n ORDER BY body <=> '[0.1234567890,0.1234567890,0.1234567890,0.1234567890,0.1234567890]'",
};
const failed: ProbeResult = {
  ...served,
  schema: 't2',
  verdict: 'global-post-filter',
  ok: false,
  reason:
    'it searches an index over the whole table and filters by partition only afterwards: too few rows may come back; the index that should serve is missing',
  remedy: 'build it: trueup apply --schema t2 --phase search',
  expected: { serves: { kind: 'family', label: 'f' }, name: MEMBER.name, found: null, state: 'missing' },
  used: [GLOBAL],
  settings: {},
  unknownSettings: [],
  without: {
    kind: 'planned',
    indexes: [GLOBAL],
    verdict: 'exact',
    ok: false,
    used: [index('items_pkey', '16402', { method: 'btree', extension: null, bytes: 900 })],
    plan: plan(['Limit', 'Sort', 'Index Scan'], 1236),
  },
};
const unreadable: ProbeResult = {
  ...served,
  schema: 't3',
  verdict: 'unreadable',
  ok: false,
  reason: 'invalid input syntax for type integer: "acme"',
  remedy: 'see whether the tenant is in order: trueup plan --schema t3',
  partition: null,
  expected: null,
  used: [],
  plan: null,
  stale: [],
  settings: {},
  unknownSettings: [],
  query: null,
};
const refused: ProbeResult = {
  ...failed,
  without: { kind: 'refused', indexes: [GLOBAL], reason: 'the server is a standby: ask the primary' },
};

const explanation = (...results: readonly ProbeResult[]): Explanation => ({
  createdAt: new Date('2025-01-02T03:04:05Z'),
  states: [desiredState()],
  databases: [
    {
      id: 'main',
      host: 'db.example',
      port: 5432,
      name: 'app',
      serverVersion: '17.2',
      role: 'deploy',
      source: '--database-url',
      tenants: results.length > 1 ? null : 1_000,
      schemas: results.map((result) => result.schema),
    },
  ],
  results,
});
const hide = new MemberNames([desiredState()]);
const text = (of: Explanation, width: number, shown = false) =>
  explainText(of, { hide: shown ? null : hide, color: new Ansis(0), width });

describe('the text of an explanation', () => {
  it('names the index that should be taken where another is, and all that are taken', () => {
    const other: ProbeResult = { ...served, ok: false, verdict: 'other-index', used: [GLOBAL, index('more', '16403')] };
    const shown = text(explanation(other), 200);
    expect(shown).toContain('expected: items_body_n_… (oid 16400), valid, but not taken');
    expect(shown).toMatch(/indexes: items_body \(.*oid 16401\), more \(/u);
    expect(text(explanation({ ...served, used: [GLOBAL, MEMBER] }), 200)).not.toContain('expected:');
  });

  it('tells of each probe what is taken, what should be, and what to do, at 120 columns', () => {
    expect(`\n${text(explanation(served, failed, unreadable), 120)}\n`).toBe(`
Target: postgresql 17.2 at db.example:5432, database app, role deploy (from --database-url)
Tenants: t1, t2, t3

ok    find (search) on t1.items: member
      The planner takes the partition's own index.
      partition: kind.value = new, shop.id = … (the largest; more than 10,000 rows)
      index: items_body_n_… (hnsw, 6.4 MB, oid 16400)
      plan: Limit > Index Scan; cost 423, 100 rows expected; executed: 100 rows in 1.6 ms
      settings: hnsw.ef_search = 200, no.such = 1
      note: the server does not know no.such: of no effect
      note: items_body (hnsw, 6.4 MB, oid 16401) stands over the whole table, and no file declares it; --hypothetical
          plans without it

FAIL  find (search) on t2.items: global-post-filter
      It searches an index over the whole table and filters by partition only afterwards: too few rows may come back;
        the index that should serve is missing.
      partition: kind.value = new, shop.id = … (the largest; more than 10,000 rows)
      index: items_body (hnsw, 6.4 MB, oid 16401)
      expected: items_body_n_…, missing
      plan: Limit > Index Scan; cost 423, 100 rows expected; executed: 100 rows in 1.6 ms
      without items_body: exact by items_pkey (btree, 900 bytes, oid 16402), which would fail too; Limit > Sort > Index
          Scan; cost 1,236, 100 rows expected
      to do: build it: trueup apply --schema t2 --phase search

FAIL  find (search) on t3.items: unreadable
      Invalid input syntax for type integer: "…".
      to do: see whether the tenant is in order: trueup plan --schema t3

Explain: 3 probes, 1 ok, 2 failed.
`);
  });

  it('stays within 80 columns', () => {
    const lines = text(explanation(served, refused, unreadable), 80, true).split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.join('\n')).toContain('not planned: the server is a standby: ask the primary');
  });

  it('says how the tenant was chosen, and that there was none', () => {
    expect(text(explanation(served), 120)).toContain('Tenant: t1 (the largest of 1,000; --schema names others)');
    expect(text(explanation(), 120)).toContain('No tenant, so nothing was explained.');
  });

  it('shows values, and the query with its vectors shortened, only when asked to', () => {
    expect(text(explanation(served), 120)).not.toMatch(/acme|SELECT/u);
    const shown = text(explanation(served), 120, true);
    expect(shown).toContain('shop.id = acme');
    expect(shown.replaceAll(/\s+/gu, ' ')).toContain(
      `query: SELECT id FROM t1.items WHERE shop = 'acme' ORDER BY body <=> '[0.1234567890,0.1234567890,0.1234567890…'`,
    );
  });

  it('takes an apostrophe in a name for none of a value', () => {
    const query = `SELECT id FROM "o'brien".items WHERE shop = 'acme' ORDER BY body <=> '[${'0.1,'.repeat(40)}0]'`;
    expect(text(explanation({ ...served, query }), 500, true)).toContain(
      `query: SELECT id FROM "o'brien".items WHERE shop = 'acme' ORDER BY body <=> '[0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.…'\n`,
    );
  });

  it('lets no name steer the terminal', () => {
    const schema = 'x\u001b[31m\nok    y';
    const shown = text(explanation({ ...served, schema }, served), 120);
    for (const bad of ['\u001b', '\nok    y']) expect(shown).not.toContain(bad);
  });
});

describe('the JSON of an explanation', () => {
  it('is what the published schema describes, with values and without', () => {
    const all = explanation(served, failed, refused, unreadable);
    expect(problems(explainSchema, explainDocument(all, { hide }))).toEqual([]);
    expect(problems(explainSchema, explainDocument(all, { hide: null }))).toEqual([]);
    expect(problems(explainSchema, explainDocument(explanation(), { hide }))).toEqual([]);
    expect(explainSchema).toMatchObject({ definitions: { verdict: { enum: VERDICTS } } });
  });

  it('counts what passed, and holds values of rows only when they are asked for', () => {
    const all = explanation(served, failed, unreadable);
    const document = explainDocument(all, { hide });
    expect(document.summary).toEqual({ probes: 3, passed: 1, failed: 2 });
    expect(JSON.stringify(document)).not.toContain('acme');
    expect(explainDocument(all, { hide: null }).results[0]).toMatchObject({
      partition: { values: { 'shop.id': 'acme' } },
      used: [{ name: 'items_body_n_acme', oid: '16400' }],
      query: served.query,
    });
  });
});
