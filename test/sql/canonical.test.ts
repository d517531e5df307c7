import { PGlite } from '@electric-sql/pglite';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalDefault, canonicalExpression, canonicalType } from '../../src/sql/canonical.js';
import { columnsOf } from '../../src/sql/columns-of.js';
import type { NameResolver } from '../../src/sql/names.js';
import { TENANT_SCHEMA_SQL as T } from '../../src/sql/template.js';
import { NO_EXTENSIONS } from '../support/no-extensions.js';

const expression = (text: string) => canonicalExpression(text, NO_EXTENSIONS);

describe('canonicalDefault', () => {
  const ofKinds = (text: string) => canonicalDefault(text, `${T}.kind[]`, NO_EXTENSIONS);

  it('C12: a string constant says nothing new by a cast to the column’s own type', async () => {
    expect(await ofKinds(`'{a}'::${T}.kind[]`)).toBe(await ofKinds("'{a}'"));
  });

  it.each([`'{b}'::${T}.kind[]`, `'{a}'::${T}.kind`, `'{a}'::${T}.other[]`, `f('{a}')::${T}.kind[]`, 'true', 'NULL'])(
    '%s is another',
    async (text) => {
      expect(await ofKinds(text)).not.toBe(await ofKinds("'{a}'"));
    },
  );
});

describe('canonicalExpression', () => {
  it.each([
    ['a = 1 AND b', '((b) AND (1 = (a)))'],
    ['a AND (b AND c)', '(c AND b) AND a'],
    ["a IN ('x')", "a = 'x'::text"],
    ["a = 'x'", "(a = ANY (ARRAY['x'::text]))"],
    ['a <> 1', '(a <> ALL (ARRAY[1]))'],
    ["a IN ('x', 'y')", "(a = ANY (ARRAY['y'::text, 'x'::text]))"],
    ["a NOT IN ('x', 'y')", "(a <> ALL (ARRAY['x'::text, 'y'::text]))"],
    [
      "a = ANY (ARRAY['x', 'y']::text[])",
      "(a = ANY ((ARRAY['x'::character varying, 'y'::character varying])::text[]))",
    ],
    ['a != b', 'b <> a'],
    ['a BETWEEN 1 AND 2', '((a >= 1) AND (a <= 2))'],
    ['a NOT BETWEEN 1 AND 2', '((a < 1) OR (a > 2))'],
    ['CURRENT_TIMESTAMP', 'pg_catalog.now()'],
    ['transaction_timestamp()', 'now()'],
    ["'x'", "('x'::pg_catalog.text)"],
    ['-1', "'-1'::integer"],
    ['99999999999', "'99999999999'::bigint"],
    ['-1.5', "'-1.5'::numeric"],
    ['a::varchar(20)', '(a)::character varying(20)'],
    ['a OPERATOR(pg_catalog.+) b', 'b + a'],
    [`${T}.f('x')`, `${T}.f('x'::text)`],
    ["a LIKE 'x%'", "(a ~~ 'x%'::text)"],
    ["a AT TIME ZONE 'UTC'", "timezone('UTC'::text, a)"],
    ["a ->> 'k' IS NOT NULL", "((a ->> 'k'::text) IS NOT NULL)"],
  ])('C12: %s is %s', async (left, right) => {
    expect(await expression(left)).toBe(await expression(right));
  });

  it.each([
    ['-1', '0'],
    ['-1', '-2'],
    ['1', '1.0'],
    ['1.0', '1.00'],
    ['1', "'1'"],
    ["'{}'", "'{}'::jsonb"],
    ["'x'::varchar", "'x'::text"],
    ["a || '5'", "a || '5'::text"],
    ["a || '{x}'", "a || '{x}'::text"],
    ['a - b', 'b - a'],
    ['a || b', 'b || a'],
    ['a < b', 'b < a'],
    ['a AND b OR c', 'a AND (b OR c)'],
    ['NOT (a AND b)', 'NOT a AND b'],
    ['a = b', '(a)::text = b'],
    ['a = ANY (b)', 'a = ALL (b)'],
    ['a = ANY (ARRAY[b])', 'a = b'],
    ['a = ANY (ARRAY[ARRAY[1]])', 'a = ARRAY[1]'],
    ["a IN ('x', 'y')", "a NOT IN ('x', 'y')"],
    ["a IN ('x', 'y')", "a IN ('x', 'z')"],
    ['a IS NULL', 'a IS NOT NULL'],
    ['a IS TRUE', 'a IS NOT FALSE'],
    ['a IS DISTINCT FROM b', 'a <> b'],
    ['nullif(a, b)', 'a = b'],
    ['CURRENT_TIMESTAMP(3)', 'CURRENT_TIMESTAMP'],
    ['now()', 'clock_timestamp()'],
    ['CURRENT_TIMESTAMP', 'LOCALTIMESTAMP'],
    ['a::varchar(20)', 'a::varchar(21)'],
    ['a::varchar', 'a::varchar[]'],
    ['coalesce(a, b)', 'coalesce(b, a)'],
    ['CASE WHEN a THEN b END', 'CASE WHEN a THEN c END'],
    ['CASE WHEN a THEN b END', 'CASE WHEN a THEN b ELSE c END'],
    ['public.f(a)', 'f(a)'],
    [`${T}.f(a)`, 'f(a)'],
    [`${T}.f(a)`, 'other.f(a)'],
    ['f(a)', 'f(VARIADIC a)'],
    ['a COLLATE "C"', 'a COLLATE "POSIX"'],
    ['a OPERATOR(public.=) b', 'a = b'],
    ['greatest(a, b)', 'least(a, b)'],
    ['a[1]', 'a[2]'],
    ['a[0]', 'a[-1]'],
    ['true', 'false'],
    ['NULL', 'false'],
    ['"true"', 'true'],
    ["E'\\\\x'", "'x'"],
    ["'a'::regclass", "'a'::text::regclass"],
    ["'x'", '""" x"'],
  ])('%s is not %s', async (left, right) => {
    expect(await expression(left)).not.toBe(await expression(right));
  });

  it('takes an extension for the same wherever it is installed', async () => {
    const installed = (schema: string): NameResolver => ({
      schemaOf: (_kind, name) => (name === 'vector' ? schema : null),
      extensionOf: (_kind, at, name) => (at === schema && name === 'vector' ? 'vector' : null),
    });
    expect(await canonicalType('vector(3)', installed('public'))).toBe(
      await canonicalType('ext.vector(3)', installed('ext')),
    );
    expect(await canonicalType('vector(3)', installed('public'))).not.toBe(
      await canonicalType('ext.vector(3)', installed('public')),
    );
    expect(await canonicalExpression("'[1]'::vector", installed('a'))).toBe(
      await canonicalExpression("'[1]'::b.vector", installed('b')),
    );
  });

  it('is stable under parentheses and the order of AND and OR', async () => {
    const leaf = fc.constantFrom('a = 1', "b = 'x'", 'c IS NULL', 'd > 2', "e IN ('x', 'y')", 'NOT f');
    type Tree = string | { readonly word: 'AND' | 'OR'; readonly terms: readonly Tree[] };
    const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.record({
          word: fc.constantFrom('AND' as const, 'OR' as const),
          terms: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }),
        }),
      ),
    }));
    const written = (node: Tree, turned: boolean): string => {
      if (typeof node === 'string') return turned ? `((${node}))` : node;
      const terms = node.terms.map((term) => `(${written(term, turned)})`);
      return (turned ? terms.reverse() : terms).join(` ${node.word} `);
    };
    await fc.assert(
      fc.asyncProperty(tree, async (node) => {
        expect(await expression(written(node, true))).toBe(await expression(written(node, false)));
      }),
      { numRuns: 60 },
    );
  });

  it('fails on what is not one expression', async () => {
    await expect(expression('a, b')).rejects.toMatchObject({ code: 'FRAGMENT_REFUSED' });
  });
});

describe('canonicalType', () => {
  it.each([
    ['int', 'integer'],
    ['bool', 'pg_catalog.bool'],
    ['timestamptz', 'timestamp with time zone'],
    ['timestamptz(3)', 'timestamp(3) with time zone'],
    ['varchar(64)', 'character varying(64)'],
    ['float8', 'double precision'],
    ['numeric(10)', 'numeric(10,0)'],
    ['char', 'character(1)'],
    ['text[]', 'text[][3]'],
    ['x.lexer(japanese)', "x.lexer('japanese')"],
    ['x.grams(2, 3)', "x.grams('2','3')"],
  ])('C9: %s is %s', async (left, right) => {
    expect(await canonicalType(left, NO_EXTENSIONS)).toBe(await canonicalType(right, NO_EXTENSIONS));
  });

  it.each([
    ['varchar(32)', 'varchar(64)'],
    ['varchar', 'text'],
    ['char', '"char"'],
    ['text', 'text[]'],
    ['timestamp', 'timestamptz'],
    ['int', 'bigint'],
    [`${T}.mood`, 'mood'],
    ['a.mood', 'b.mood'],
  ])('C9: %s is not %s', async (left, right) => {
    expect(await canonicalType(left, NO_EXTENSIONS)).not.toBe(await canonicalType(right, NO_EXTENSIONS));
  });
});

describe('columnsOf', () => {
  it('names each unqualified column once', async () => {
    expect(await columnsOf("coalesce(b, a) || b || t.c || lower('d')")).toEqual(['a', 'b']);
  });

  it('takes a word that modifies a type for no column', async () => {
    expect(await columnsOf('a::x.lexer(japanese) || b')).toEqual(['a', 'b']);
    expect(await columnsOf('japanese::x.lexer(japanese)')).toEqual(['japanese']);
  });
});

describe('what the server deparses', () => {
  const checks = [
    "status IN ('pending', 'processing', 'completed')",
    "status IN ('completed', 'failed')",
    "kind <> 'label'",
    "status = 'pending' AND payload IS NOT NULL",
    "payload IS NOT NULL AND status IN ('pending', 'processing')",
    'id_1 < id_2',
    "coalesce(data ->> 'cron', '') <> ''",
    "coalesce(status, kind) = 'x'",
    "status LIKE 'a%' OR kind ~ '^b'",
    'number BETWEEN -5 AND 10',
    'number IN (1, 2, 3)',
    'number NOT IN (1, 2, 3)',
    'number = -1',
    'number = 0',
    'number % 2 = 0',
    'flag',
    'NOT flag',
    'flag IS NOT TRUE',
    'length(status) <= 100',
    "status = 'o''brien'",
    "status = E'back\\\\slash'",
    "status ~~ '%'",
    'id_1 IS DISTINCT FROM id_2',
    "(CASE WHEN flag THEN status ELSE 'none' END) = 'none'",
    'greatest(number, 3) > 2',
    "data || '5' IS NOT NULL",
    "data || '5'::text IS NOT NULL",
    "tags || '{x}' IS NOT NULL",
    "tags || '{x}'::text IS NOT NULL",
    "tags @> ARRAY['a', 'b']",
  ];
  const defaults: readonly (readonly [column: string, text: string])[] = [
    ['status', "'pending'"],
    ['number', '0'],
    ['number', '-1'],
    ['flag', 'true'],
    ['flag', 'false'],
    ['at', 'now()'],
    ['at', 'CURRENT_TIMESTAMP'],
    ['id_1', 'gen_random_uuid()'],
    ['tags', "ARRAY['a']"],
  ];
  /** Bare strings next to `||`, and casts that PostgreSQL adds: the server judges these. */
  const judged = new Set(["data || '5' IS NOT NULL", "tags || '{x}' IS NOT NULL"]);
  let database: PGlite;

  beforeAll(async () => {
    database = await PGlite.create();
    await database.exec(`SET search_path = ''; CREATE SCHEMA s;
      CREATE TABLE s.t (status text, kind text, payload jsonb, id_1 uuid, id_2 uuid, data jsonb, number integer, flag boolean, at timestamptz, tags text[])`);
  }, 60_000);
  afterAll(() => database.close());

  async function deparsedCheck(text: string): Promise<string> {
    await database.exec(`ALTER TABLE s.t ADD CONSTRAINT c CHECK (${text})`);
    const { rows } = await database.query<{ text: string }>(
      "SELECT pg_get_expr(conbin, conrelid) AS text FROM pg_constraint WHERE conname = 'c' AND conrelid = 's.t'::regclass",
    );
    await database.exec('ALTER TABLE s.t DROP CONSTRAINT c');
    return rows[0]?.text ?? '';
  }

  async function deparsedDefault(column: string, text: string): Promise<string> {
    await database.exec(`ALTER TABLE s.t ALTER ${column} SET DEFAULT ${text}`);
    const { rows } = await database.query<{ text: string }>(
      "SELECT pg_get_expr(adbin, adrelid) AS text FROM pg_attrdef WHERE adrelid = 's.t'::regclass",
    );
    await database.exec(`ALTER TABLE s.t ALTER ${column} DROP DEFAULT`);
    return rows[0]?.text ?? '';
  }

  it('C12: is what was written', async () => {
    for (const text of checks.filter((check) => !judged.has(check))) {
      const deparsed = await deparsedCheck(text);
      expect([deparsed, await expression(deparsed)]).toEqual([deparsed, await expression(text)]);
    }
    for (const [column, text] of defaults) {
      expect([text, await expression(await deparsedDefault(column, text))]).toEqual([text, await expression(text)]);
    }
  });

  it('is never taken for another check', async () => {
    const written = await Promise.all(checks.map((check) => expression(check)));
    const deparsed: string[] = [];
    for (const check of checks) deparsed.push(await expression(await deparsedCheck(check)));
    for (const [left, canonical] of written.entries()) {
      const alike = deparsed.flatMap((other, right) => (other === canonical && left !== right ? [checks[right]] : []));
      expect([checks[left], alike]).toEqual([checks[left], []]);
    }
  });
});
