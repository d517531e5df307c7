import { describe, expect, it } from 'vitest';
import type { DesiredColumn } from '../../src/desired-state/model.js';
import { diffColumns } from '../../src/diff/columns.js';
import type { ColumnShape } from '../../src/shape/table-shape.js';
import { column, contextWith, desiredColumn, desiredTable, IDENTITY, table } from '../support/diff-fixture.js';

type Answers = Parameters<typeof contextWith>[0];

const neededFor = (
  wanted: Partial<DesiredColumn>,
  actual: readonly ColumnShape[],
  answers: Answers = { rows: 'some' },
) =>
  diffColumns(
    desiredTable({ columns: [desiredColumn('code', wanted)] }),
    table({ columns: actual }),
    contextWith(answers),
  );

describe('a column that is missing from a table with rows', () => {
  it.each([
    "'a'",
    "'it''s'::text",
    '-1.5',
    'TRUE',
    "'{}'::jsonb",
    'NULL',
    '0::numeric(8,2)',
    'ARRAY[]::numeric(8,2)[]',
    'ARRAY[]::text[]',
    'now()',
    'current_timestamp',
  ])('has the default %s without a rewrite and without a backfill', (expression) => {
    const [made] = neededFor({ default: expression, notNull: true }, []);
    expect(made).toMatchObject({ status: 'pending', hazards: [], steps: [{ mode: 'transaction' }] });
  });

  it.each([
    'gen_random_uuid()',
    '1 + random()',
    "'a' || random()",
    "now() - '1 day'::interval",
    'ARRAY[]::text[] || clock_timestamp()::text',
    'ARRAY[random()]',
  ])('is filled in batches with the default %s', (expression) => {
    const [made] = neededFor({ default: expression }, []);
    expect(made?.hazards).toEqual(['BACKFILL']);
    expect(made?.steps.map((step) => step.mode)).toContain('backfill');
  });

  it.each([
    ['is generated', { generated: { expression: 'lower(a)', kind: 'stored' } }],
    ['is an identity', { identity: IDENTITY, notNull: true }],
    ['is serial', { serial: true, default: "nextval('items_code_seq'::regclass)", notNull: true }],
  ] as const)('rewrites the table where it %s', (_, wanted) => {
    expect(neededFor(wanted, [])).toMatchObject([{ status: 'pending', hazards: ['TABLE_REWRITE'] }]);
    expect(neededFor(wanted, [], {})).toMatchObject([
      { hazards: [], assumptions: [{ kind: 'no-rows', table: 'items' }] },
    ]);
  });

  it('waits for the application’s values only where nothing else gives any', () => {
    expect(neededFor({ filledBy: 'application' }, [])[0]?.hazards).toEqual(['VALUES_MISSING']);
    expect(neededFor({ filledBy: 'application', default: '1' }, [])[0]?.hazards).toEqual([]);
    expect(neededFor({}, [])[0]?.hazards).toEqual([]);
  });
});

describe('a column that is generated otherwise', () => {
  const stored = { expression: 'lower(a)', kind: 'stored' } as const;
  const reason = (wanted: Partial<DesiredColumn>, actual: Partial<ColumnShape>) =>
    neededFor(wanted, [column('code', actual)])[0]?.reason ?? null;

  it.each([
    ['is a plain column, declared GENERATED ALWAYS AS (lower(a))', { generated: stored }, {}],
    [
      'is a virtual generated column, declared stored',
      { generated: stored },
      { generated: { ...stored, kind: 'virtual' } },
    ],
    ['is a virtual generated column, declared plain', {}, { generated: { ...stored, kind: 'virtual' } }],
    [
      'is generated as upper(a), declared lower(a)',
      { generated: stored },
      { generated: { ...stored, expression: 'upper(a)' } },
    ],
    ['is a generated column, declared plain; its content stays', {}, { generated: stored }],
    [null, { generated: stored }, { generated: stored }],
  ] as const)('%s', (expected, wanted, actual) => {
    expect(reason(wanted, actual)).toBe(expected);
  });
});

it('DEFAULT NULL is no default, with a cast or without', () => {
  for (const expression of ['NULL', 'null::character varying', 'NULL::numeric(8,2)'])
    expect(neededFor({}, [column('code', { default: expression })])).toEqual([]);
  expect(neededFor({}, [column('code', { default: "NULL || 'a'" })])).toHaveLength(1);
});

it('a serial where an identity stands is refused: the sequence would go with the identity', () => {
  const wanted = { serial: true, default: "nextval('items_code_seq'::regclass)", notNull: true } as const;
  const actual = column('code', { identity: IDENTITY, notNull: true });
  expect(neededFor(wanted, [actual])).toMatchObject([{ action: 'alter-column', status: 'blocked' }]);
});
