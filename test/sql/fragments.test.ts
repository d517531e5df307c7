import { describe, expect, it } from 'vitest';
import { calledFunctions } from '../../src/sql/called-functions.js';
import { evaluationProblem } from '../../src/sql/evaluation.js';
import { checkFragment } from '../../src/sql/fragments.js';

describe('checkFragment', () => {
  it.each([
    [
      'type',
      [
        'int',
        'varchar(20)',
        'public.vector(384)',
        'text[]',
        'timestamp with time zone',
        'double precision',
        '"char"',
        'numeric(10, 2)',
      ],
    ],
    [
      'expression',
      [
        "'a'",
        "a = 'x;--' AND b",
        "coalesce(a, '') || ' '",
        'now()',
        '-1',
        "'{}'::jsonb",
        'CASE WHEN a THEN 1 END',
        "E'\\''",
        'a IN (1, 2)',
        'ARRAY[1, 2]',
        '(a, b) < (c, d)',
      ],
    ],
    [
      'query',
      [
        'SELECT a, count(*) FROM t GROUP BY a',
        'WITH x AS (SELECT 1 AS a) SELECT a, 2 FROM x',
        'SELECT 1 UNION ALL SELECT 2',
      ],
    ],
    ['operator-class', ['vector_cosine_ops', 'public.gin_trgm_ops', '"Ops"']],
  ] as const)('takes one %s', async (kind, texts) => {
    for (const text of texts) expect([text, await checkFragment(kind, text)]).toEqual([text, null]);
  });

  it.each([
    [
      'type',
      [
        '',
        ' ',
        '1',
        'int) , (SELECT 1',
        'int; DROP TABLE x',
        'text) || (a',
        'setof int',
        'int x',
        'int -- x',
        'int, int',
        't.x%TYPE',
        'int DEFAULT 1',
        'text COLLATE "C"',
      ],
    ],
    [
      'expression',
      [
        '',
        '1; DROP TABLE x',
        'a) , (b',
        'a) + (b',
        '1) FROM t --',
        '1) FROM (t',
        "'a",
        '"a',
        'a /* b',
        'a -- b',
        '$1',
        'a, b',
        'a AS b',
        'SELECT 1',
        '(SELECT 1)',
        'EXISTS (SELECT 1)',
        'a IN (SELECT 1)',
        'ARRAY(SELECT 1)',
        'count(*)',
        'count(DISTINCT a)',
        'sum(a) OVER ()',
        'sum(a) FILTER (WHERE b)',
        'percentile_cont(0.5) WITHIN GROUP (ORDER BY a)',
        'DEFAULT',
        'VALUES (1)',
        'TABLE t',
        '(x).*',
        '*',
        'generate_series(1, 2)',
        '$$a$$',
        'a = 1 RETURNING b',
        '1 LIMIT 2',
        'NULL::int) FROM t WHERE (a',
      ],
    ],
    [
      'query',
      [
        '',
        'SELECT 1; SELECT 2',
        'SELECT 1 INTO t',
        'SELECT a FROM t FOR UPDATE',
        'SELECT * FROM (SELECT a FROM t FOR SHARE) x',
        'WITH x AS (DELETE FROM t RETURNING a) SELECT a FROM x',
        'DELETE FROM t',
        'VALUES (1)',
        'SELECT $1',
        'SELECT 1 -- x',
        'SELECT a, b FROM t -- x',
        'SELECT a, b FROM t;',
        'SELECT a, $$b$$ FROM t',
        'TRUNCATE t',
      ],
    ],
    ['operator-class', ['', 'a b', 'a DESC', 'a) , (b', "a (x = '1')", 'a, b', 'a.b.c', 'COLLATE "C"', 'DESC']],
  ] as const)('refuses what is not exactly one %s', async (kind, texts) => {
    for (const text of texts) expect([text, await checkFragment(kind, text)]).not.toEqual([text, null]);
  });

  it('gives a position in the fragment', async () => {
    expect(await checkFragment('expression', 'é + + + *')).toMatchObject({ position: 8 });
    expect(await checkFragment('expression', 'a = (SELECT 1)')).toMatchObject({ position: 4 });
    expect(await checkFragment('expression', '1; DROP TABLE x')).toMatchObject({ position: 1 });
    expect(await checkFragment('expression', "é = 'x")).toMatchObject({ position: 4 });
  });

  it('names what the format has instead of serial types', async () => {
    for (const type of ['serial', 'bigserial', 'smallserial', 'serial2', 'serial4', 'serial8']) {
      expect((await checkFragment('type', type))?.message).toMatch(/"serial: true" or "identity"/u);
    }
  });
});

describe('evaluationProblem', () => {
  it.each([
    "left(replace(internal_id::text, '-', ''), 16)",
    'pg_catalog.lower(a) || b',
    "CASE WHEN a IS NULL THEN 'x' ELSE coalesce(b, 'y') END",
    "a IN ('x', 'y') AND NOT b AND greatest(c, d) > nullif(e, 1)",
    "a OPERATOR(pg_catalog.=) 'x'",
    'ARRAY[a, b]',
  ])('lets %s be evaluated', async (expression) => {
    expect(await evaluationProblem(expression)).toBeNull();
  });

  it.each([
    'public.f(a)',
    'db.pg_catalog.lower(a)',
    'a OPERATOR(public.=) b',
    "'pg_class'::regclass",
    "'x'::pg_catalog.regproc",
    "'{x}'::regclass[]",
    "'{x}'::_regclass",
    "'x'::public.domain",
    'current_user',
    'CURRENT_TIMESTAMP',
    'f(VARIADIC a)',
    '(a).b',
    'xmlelement(name x)',
  ])('S1: refuses %s', async (expression) => {
    expect(await evaluationProblem(expression)).not.toBeNull();
  });

  it('S1: names the functions whose volatility the server knows', async () => {
    expect(
      await calledFunctions("coalesce(pg_read_file('/etc/passwd'), lower(pg_catalog.pg_sleep(1)), lower(a))"),
    ).toEqual([
      { schema: 'pg_catalog', name: 'pg_sleep' },
      { schema: null, name: 'lower' },
      { schema: null, name: 'pg_read_file' },
    ]);
  });
});
