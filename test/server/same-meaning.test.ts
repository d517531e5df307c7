import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FleetUnderTest, itemsOf, openFleet, summary } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** As declared, as made by hand. */
type Pair = readonly [declared: string, made: string];
type Typed = readonly [type: string, declared: string, made: string];

const SAME: { predicates: Pair[]; checks: Pair[]; defaults: Typed[]; generated: Typed[]; expressions: Pair[] } = {
  predicates: [
    [`k IN ('a', 'b')`, `k = ANY (ARRAY['a'::text, 'b'])`],
    [`k IN ('a', 'b')`, `k IN ('b', 'a')`],
    [`k IN ('a', 'b')`, `k = ANY ('{a,b}'::text[])`],
    [`k NOT IN ('a', 'b')`, `NOT (k IN ('b', 'a'))`],
    [`k = 'a' AND n > 1`, `(n > 1) AND ((k) = 'a'::text)`],
    [`k = 'a' AND n > 1 AND flag`, `flag AND (n > 1 AND k = 'a')`],
    [`ts IS NULL OR n = 1`, `n = 1 OR ts IS NULL`],
    [`v = 'a'`, `v::text = 'a'::text`],
    [`v IN ('a', 'b')`, `v::text = ANY (ARRAY['a'::varchar, 'b'::varchar]::text[])`],
    [`n = 1`, `1 = n`],
    [`n <> 1`, `n != 1`],
    [`n BETWEEN 1 AND 5`, `n >= 1 AND n <= 5`],
    [`n < -1`, `n < '-1'::integer`],
    [`n = 5`, `n = '5'::int4`],
    [`flag`, `flag = true`],
    [`NOT flag`, `flag = false`],
    [`k IS NOT NULL`, `NOT (k IS NULL)`],
    [`coalesce(k, '') <> ''`, `COALESCE(k, ''::text) <> ''::text`],
    [`lower(k) = 'x'`, `pg_catalog.lower(k) = 'x'`],
    [`k LIKE 'a%'`, `k ~~ 'a%'::text`],
    [`j @> '{"a": 1}'`, `j @> '{"a":1}'::jsonb`],
    [`j ->> 'x' = 'y'`, `(j ->> 'x'::text) = 'y'::text`],
    [`n::text = '1'`, `CAST(n AS text) = '1'`],
    [`ts > '2020-01-01T00:00:00Z'`, `ts > '2020-01-01 01:00:00+01'::timestamptz`],
    [`CASE WHEN flag THEN 1 ELSE 0 END = 1`, `(case when (flag) then 1 else 0 end) = 1`],
  ],
  checks: [
    [`k IN ('a', 'b')`, `k = ANY (ARRAY['b', 'a'])`],
    [`n >= 0 AND n < 100`, `n < 100 AND n >= 0`],
    [`length(v) > 2`, `pg_catalog.length((v)::text) > 2`],
  ],
  defaults: [
    ['timestamptz', 'now()', 'CURRENT_TIMESTAMP'],
    ['date', 'current_date', 'CURRENT_DATE'],
    ['jsonb', `'{"a": 1, "b": 2}'`, `'{"b":2,"a":1}'::jsonb`],
    ['jsonb', `'{}'::jsonb`, `'{}'`],
    ['varchar(32)', `'x'`, `'x'::character varying`],
    ['varchar(32)', `'x'`, `'x'::text`],
    ['integer', '0', `'0'::integer`],
    ['integer', '-1', `'-1'`],
    ['bigint', '0', `0::bigint`],
    ['integer', '2 * 60', '120'],
    ['numeric(10,2)', '1.5', `'1.5'::numeric`],
    ['text[]', 'ARRAY[]::text[]', `'{}'`],
    ['boolean', 'true', `'t'`],
    ['uuid', 'gen_random_uuid()', 'pg_catalog.gen_random_uuid()'],
    ['interval', `'1 hour'`, `interval '60 minutes'`],
    ['text', 'NULL', 'NULL::text'],
    ['varchar(9)', 'NULL', 'NULL'],
  ],
  generated: [
    ['text', `coalesce(k, '') || ' ' || v`, `(COALESCE(k, ''::text) || ' '::text) || (v)::text`],
    ['tsvector', `to_tsvector('english', k)`, `to_tsvector('english'::regconfig, (k)::text)`],
    ['integer', 'n * 2', '(n * 2)'],
  ],
  expressions: [
    ['lower(v)', 'lower((v)::text)'],
    [`coalesce(k, '')`, `COALESCE(k, ''::text)`],
    [`ts AT TIME ZONE 'UTC'`, `timezone('UTC'::text, ts)`],
    [`j ->> 'a'`, `(j ->> 'a'::text)`],
    ['n + b', 'b + n'],
    ['n::integer', 'n'],
    ['k::text', 'k'],
  ],
};

const OTHER: typeof SAME = {
  predicates: [
    [`k IN ('a', 'b')`, `k IN ('a', 'b', 'c')`],
    [`k IN ('a', 'b')`, `k NOT IN ('a', 'b')`],
    [`k = 'a' AND flag`, `k = 'a' OR flag`],
    [`(n > 1 OR flag) AND k = 'a'`, `n > 1 OR flag AND k = 'a'`],
    [`n > 1`, `n >= 1`],
    [`n > b`, `b > n`],
    [`k = 'a'`, `k = 'A'`],
    [`k = 'a'`, `k = 'a '`],
    [`k = 'a'`, `v = 'a'`],
    [`k IS NULL`, `k IS NOT NULL`],
    [`flag`, `flag IS NOT FALSE`],
    [`n BETWEEN 1 AND 5`, `n BETWEEN 1 AND 6`],
    [`k LIKE 'a%'`, `k ILIKE 'a%'`],
    [`ts > '2020-01-01T00:00:00Z'`, `ts > '2020-01-01 00:00:00+01'`],
    [`k > 'a'`, `k COLLATE "C" > 'a'`],
    [`n = 5`, `n::text = '5'`],
  ],
  checks: [
    [`n >= 0`, `n > 0`],
    [`n >= 0`, `n IS NULL OR n >= 1`],
  ],
  defaults: [
    ['timestamptz', 'now()', 'clock_timestamp()'],
    ['timestamptz', 'now()', 'statement_timestamp()'],
    ['jsonb', `'{"a": 1}'`, `'{"a": "1"}'`],
    ['text', `'0'`, `'00'`],
    ['text', `'x'`, `'x '`],
    ['integer', '0', '1'],
    ['text', `''`, 'NULL'],
    ['text[]', 'ARRAY[]::text[]', `'{""}'`],
  ],
  generated: [
    ['text', 'k || v', 'v || k'],
    ['tsvector', `to_tsvector('english', k)`, `to_tsvector('simple', k)`],
    ['integer', 'n - 1', '1 - n'],
  ],
  expressions: [
    ['lower(k)', 'upper(k)'],
    [`j ->> 'a'`, `j -> 'a'`],
    [`coalesce(k, '')`, `coalesce(k, ' ')`],
    ['n::bigint', 'n'],
    ['k::text', 'v'],
  ],
};

const COLUMNS = {
  ...{ k: 'text', v: 'varchar(32)', n: 'integer', b: 'bigint', p: 'numeric(10,2)', flag: 'boolean', j: 'jsonb' },
  ts: 'timestamptz',
};

/** One table that declares the first of each pair, and its CREATE statements with the second. */
function written(table: string, pairs: typeof SAME) {
  const cases: { readonly title: string; readonly object: string }[] = [];
  const add = (kind: string, at: number, declared: string, made: string) => {
    const object = `${table}_${kind}_${at}`;
    cases.push({ title: `${kind} ${declared}: ${made}`, object });
    return object;
  };
  const columns: Record<string, unknown> = { ...COLUMNS };
  const lines = Object.entries(COLUMNS).map(([column, type]) => `${column} ${type}`);
  const indexes: unknown[] = [];
  const after: string[] = [];
  for (const [at, [type, declared, made]] of pairs.defaults.entries()) {
    const column = add('default', at, declared, made);
    columns[column] = { type, default: declared };
    lines.push(`${column} ${type} DEFAULT ${made}`);
  }
  for (const [at, [type, declared, made]] of pairs.generated.entries()) {
    const column = add('generated', at, declared, made);
    columns[column] = { type, generated: declared };
    lines.push(`${column} ${type} GENERATED ALWAYS AS (${made}) STORED`);
  }
  const checks = pairs.checks.map(([declared, made], at) => {
    const constraint = add('check', at, declared, made);
    lines.push(`CONSTRAINT ${constraint} CHECK (${made})`);
    return { name: constraint, expression: declared };
  });
  for (const [at, [declared, made]] of pairs.predicates.entries()) {
    const index = add('predicate', at, declared, made);
    indexes.push({ name: index, keys: ['n'], where: declared });
    after.push(`CREATE INDEX ${index} ON app.${table} (n) WHERE ${made}`);
  }
  for (const [at, [declared, made]] of pairs.expressions.entries()) {
    const index = add('expression', at, declared, made);
    indexes.push({ name: index, keys: [{ expression: declared }] });
    after.push(`CREATE INDEX ${index} ON app.${table} ((${made}))`);
  }
  const script = [`CREATE TABLE app.${table} (${lines.join(', ')})`, ...after].join(';\n');
  return { cases, script, document: { columns, checks, indexes } };
}

const same = written('same', SAME);
const other = written('other', OTHER);
let test: TestDatabase;
let fleet: FleetUnderTest;
let found: ReadonlyMap<string, string>;

beforeAll(async () => {
  const directory = temporaryDesiredState({
    'fleet.yaml': `
version: 1
tenants: { base_schema: { env: APP_SCHEMA, default: public }, having_tables: [same, other] }
phases: [{ name: base, file: base.yaml }]
`,
    // JSON is YAML.
    'base.yaml': JSON.stringify({ tables: { same: same.document, other: other.document } }),
  });
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  await test.exec(`CREATE SCHEMA app; ${same.script}; ${other.script}`);
  const changes = itemsOf(await fleet.plan({ directory }), 'app').map(({ change }) => change);
  found = new Map(changes.map((change) => [change.object, `${summary(change)}: ${change.reason}`]));
  // What differs is made alike: written by the server, the declared text is the declared text again.
  await fleet.apply({ directory });
  left = itemsOf(await fleet.plan({ directory }), 'app').map(({ change }) => summary(change));
});
let left: readonly string[];
afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

describe('C12: written differently, meaning the same', () => {
  it.each(same.cases)('is in sync: $title', ({ object }) => {
    expect(found.get(object)).toBeUndefined();
  });
});

describe('C12: written alike, meaning something else', () => {
  it.each(other.cases)('is drift: $title', ({ object }) => {
    expect(found.get(object)).toMatch(/ pending: /u);
  });

  it('becomes what is declared, and is in sync then', () => {
    expect(left).toEqual([]);
  });
});
