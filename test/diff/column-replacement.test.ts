import { describe, expect, it } from 'vitest';
import type { DesiredColumn } from '../../src/desired-state/model.js';
import { diffColumns } from '../../src/diff/columns.js';
import type { ColumnShape, TableShape } from '../../src/shape/table-shape.js';
import { showSql } from '../../src/sql/template.js';
import {
  column,
  contextWith,
  desiredColumn,
  desiredIndex,
  desiredTable,
  IDENTITY,
  index,
  indexKey,
  table,
  uniqueKey,
} from '../support/diff-fixture.js';
import { phase } from '../support/plan-fixture.js';

const LOWER = { expression: 'lower(title)', kind: 'stored' } as const;

type Context = Parameters<typeof contextWith>;

/** What the column `code` needs. */
function neededFor(
  wanted: Partial<DesiredColumn>,
  actual: Partial<ColumnShape>,
  rest: Partial<TableShape> = {},
  ...context: Context
) {
  const desired = desiredTable({ columns: [desiredColumn('code', wanted)] });
  return diffColumns(desired, table({ columns: [column('code', actual)], ...rest }), contextWith(...context));
}

const actions = (...by: Parameters<typeof neededFor>) =>
  neededFor(...by).map((made) => `${made.action} ${made.status}`);
const statements = (...by: Parameters<typeof neededFor>) =>
  neededFor(...by).flatMap((made) => made.steps.map((step) => showSql(step.sql).replace(/^ALTER TABLE \S+ /u, '')));

const UNDER_A_KEY = { constraints: [uniqueKey('items_key', ['code'])] };

describe('a column of another type', () => {
  it.each([
    ['varchar(64)', 'character varying(32)'],
    ['varchar', 'character varying(32)'],
    ['CHARACTER VARYING (64)', 'character varying(32)'],
    ['text', 'character varying(32)'],
    ['TEXT', 'character varying'],
  ])('%s is altered in place from %s, whatever it holds', (type, from) => {
    expect(actions({ type }, { type: from }, {}, { rows: 'some', values: 'some' })).toEqual(['alter-column pending']);
  });

  it.each([
    ['varchar(32)', 'character varying(64)'],
    ['varchar(32)', 'character varying'],
    ['varchar(64)[]', 'character varying(32)'],
    ['text[]', 'character varying(32)'],
    ['varchar(64)', 'character varying(32)[]'],
    ['varchar(64)', 'text'],
    ['text', 'integer'],
  ])('%s is not, from %s', (type, from) => {
    expect(actions({ type }, { type: from }, {}, { rows: 'some', values: 'some' })).toEqual(['replace-column blocked']);
    expect(actions({ type }, { type: from }, {}, { rows: 'some', values: 'none' })).toEqual(['replace-column pending']);
  });

  const NAMED = {
    constraints: [
      { kind: 'check', name: 'filled', expression: "code <> ''", noInherit: false, validated: true },
      { kind: 'check', name: 'other', expression: "title <> ''", noInherit: false, validated: true },
      uniqueKey('items_key', ['code']),
    ],
    indexes: [
      index('lowered', [], { keys: [indexKey(null, { expression: 'lower(code)' })] }),
      index('some', ['title'], { where: 'code IS NULL' }),
      index('plain', ['code']),
    ],
  } as const;
  const WIDER = { type: 'varchar(64)' };
  const NARROW = { type: 'character varying(32)' };

  it('is widened under a check or an index that names it only without rows, or where that is allowed: the server reads them all again', () => {
    const columnsOf = ({ expression }: { readonly expression: string }) =>
      expression.includes('code') ? ['code'] : [];
    const [blocked] = neededFor(WIDER, NARROW, NAMED, { rows: 'some', columns: columnsOf });
    expect(blocked).toMatchObject({
      ...{ action: 'alter-column', status: 'blocked', hazards: ['TABLE_REWRITE'] },
      obstacle: expect.stringMatching(/for check filled, index lowered, index some$/u),
    });
    const allowed = neededFor(
      WIDER,
      NARROW,
      NAMED,
      { rows: 'some', columns: columnsOf },
      { allow: new Set(['rebuild-column']) },
    );
    expect(allowed).toMatchObject([{ status: 'pending', hazards: ['TABLE_REWRITE'] }]);
    const empty = neededFor(WIDER, NARROW, NAMED, { columns: columnsOf });
    expect(empty).toMatchObject([
      { status: 'pending', hazards: [], assumptions: [{ kind: 'no-rows', table: 'items' }] },
    ]);
  });

  it.each([
    ['the collation', { type: 'varchar(64)', collation: '"C"' }, { type: 'character varying(32)' }],
    ['the generation', { type: 'text' }, { type: 'character varying(32)', generated: { ...LOWER, kind: 'virtual' } }],
    ['what generates it', { type: 'text', generated: LOWER }, { type: 'character varying(32)' }],
  ] as const)('is not where %s is another one too', (_, wanted, actual) => {
    expect(actions(wanted, actual, {}, { rows: 'some', values: 'some' })).toEqual(['replace-column blocked']);
  });

  it('is altered without its default, which may not cast, and has the declared one again', () => {
    const type = { type: 'integer' };
    const as = 'ALTER COLUMN code TYPE integer USING NULL::integer';
    expect(statements({ ...type, default: '0' }, { default: "'a'" }, UNDER_A_KEY).slice(0, 3)).toEqual([
      'ALTER COLUMN code DROP DEFAULT',
      as,
      'ALTER COLUMN code SET DEFAULT 0',
    ]);
    expect(statements(type, { default: "'a'" }, UNDER_A_KEY).slice(0, 2)).toEqual([
      'ALTER COLUMN code DROP DEFAULT',
      as,
    ]);
    expect(statements({ ...type, default: '0' }, {}, UNDER_A_KEY)).toEqual([as, 'ALTER COLUMN code SET DEFAULT 0']);
    expect(statements({ collation: '"C"' }, {}, UNDER_A_KEY)).toEqual([
      'ALTER COLUMN code TYPE text COLLATE "C" USING NULL::text',
    ]);
  });

  it.each([
    ['becomes generated', { generated: LOWER }, {}],
    ['is generated', { type: 'integer' }, { generated: LOWER }],
    ['is an identity that goes', { type: 'integer' }, { type: 'bigint', identity: IDENTITY }],
  ])('under a key is replaced where it %s: ALTER TYPE would fail', (_, wanted, actual) => {
    const [made] = neededFor(wanted, actual, UNDER_A_KEY);
    expect(made).toMatchObject({
      action: 'replace-column',
      status: 'pending',
      assumptions: [{ kind: 'no-rows', table: 'items' }],
    });
    expect(actions(wanted, actual, UNDER_A_KEY, { rows: 'some' })).toEqual(['alter-column blocked']);
  });

  it('under a key is replaced where an index stands on it whose method may know no such type', () => {
    const under = (name: string) =>
      actions(
        { type: 'integer' },
        {},
        { ...UNDER_A_KEY, indexes: [index('by_code', ['code'], { method: { name, extension: null } })] },
      );
    expect(under('gin')).toEqual(['replace-column pending']);
    expect(under('btree')).toEqual(['alter-column pending']);
  });

  it('is altered under a key where an identity stays or comes', () => {
    const [first] = actions(
      { type: 'integer', identity: IDENTITY },
      { type: 'bigint', identity: IDENTITY },
      UNDER_A_KEY,
    );
    expect(first).toBe('alter-column pending');
    expect(actions({ type: 'integer', identity: IDENTITY }, { type: 'bigint' }, UNDER_A_KEY)[0]).toBe(
      'alter-column pending',
    );
  });

  it.each([
    ['an index', { indexes: [index('served', ['code'], { unique: true, replicaIdentity: true })] }],
    [
      'a key that includes it',
      { constraints: [uniqueKey('served', ['id'], { include: ['code'], replicaIdentity: true })] },
    ],
  ])('is refused, approved or not, where %s goes with it that the table is replicated by', (_, rest) => {
    const allow = new Set(['rebuild-column'] as const);
    const wanted = { type: 'integer', derived: true };
    for (const values of ['none', 'some']) {
      const [made] = neededFor(wanted, {}, rest, { rows: 'some', values }, { allow });
      expect(made).toMatchObject({ status: 'blocked', obstacle: expect.stringMatching(/^served is the replica/u) });
    }
  });

  it('is not refused for the sake of an index that stays', () => {
    const rest = { indexes: [index('served', ['id'], { unique: true, replicaIdentity: true })] };
    expect(actions({ type: 'integer' }, {}, rest)).toEqual(['replace-column pending']);
    const keys = { constraints: [uniqueKey('served', ['id'], { replicaIdentity: true })] };
    expect(actions({ type: 'integer' }, {}, keys)).toEqual(['replace-column pending']);
  });

  it('names what stands on it', () => {
    const on = (...users: readonly string[]) => neededFor({ type: 'integer' }, {}, {}, { users })[0]?.obstacle;
    expect(on('view a')).toMatch(/^view a depends on the column/u);
    expect(on('view a', 'view b')).toMatch(/^view a, view b depend on the column/u);
    expect(neededFor({ type: 'text' }, { type: 'character varying(9)' }, {}, { users: ['view a'] })[0]?.status).toBe(
      'blocked',
    );
  });

  it('does not have a view dropped for what its rows refuse as well', () => {
    const facts = { rows: 'some', values: 'some', users: ['view a'] };
    const told = (wanted: Partial<DesiredColumn>, rest = {}) =>
      neededFor({ type: 'integer', ...wanted }, {}, rest, facts)[0]?.obstacle;
    expect(told({})).toMatch(/^items.code holds values/u);
    expect(told({}, UNDER_A_KEY)).toMatch(/^table items holds rows/u);
    expect(told({ derived: true })).toMatch(/^view a depends/u);
  });

  it('says whether values are in the way, or could not be told', () => {
    const obstacle = (values: string) => neededFor({ type: 'integer' }, {}, {}, { rows: 'some', values })[0]?.obstacle;
    expect(obstacle('some')).toMatch(/^items.code holds values, which cannot be computed again/u);
    expect(obstacle('unknown')).toMatch(/^whether items.code holds values could not be told, which/u);
  });

  it('tells who can empty it', () => {
    const remedy = (wanted: Partial<DesiredColumn>, ...context: Context) =>
      neededFor({ type: 'integer', ...wanted }, {}, {}, { rows: 'some', values: 'some', ...context[0] }, context[1])[0]
        ?.remedy;
    expect(remedy({})).toMatch(/own migration/u);
    expect(remedy({ generated: LOWER })).toMatch(/declare it `derived: true`; else/u);
    expect(remedy({ filledBy: 'application' })).toMatch(/let it fill the column anew$/u);
    const backend = { value: 'b', source: 'flag', alternatives: ['b'], resolved: 'b', known: [] } as const;
    expect(remedy({}, {}, { phases: [phase('base', { backend })] })).toMatch(/^this backend has no use/u);
    expect(remedy({ typeTemplate: ['bit(', { variable: 'width' }, ')'] })).toMatch(/^keep the width/u);
  });

  it('changes with all columns of its parameter, or of its backend, or by itself', () => {
    const group = (forNewOnly: boolean | null, source: 'base' | 'search' = 'base') => {
      const backend = { value: 'b', source: 'flag', alternatives: ['b'], resolved: 'b', known: [] } as const;
      const parameters = forNewOnly === null ? {} : { width: { value: 8, source: 'flag', forNewOnly } as const };
      const typeTemplate = forNewOnly === null ? ['integer'] : ['bit(', { variable: 'width' }, ')'];
      const wanted = { type: 'integer', typeTemplate, phase: source };
      return neededFor(wanted, {}, {}, {}, { parameters, phases: [phase('base'), phase('search', { backend })] })[0]
        ?.group;
    };
    expect(group(null)).toBeNull();
    expect(group(false)).toBe('parameter width');
    expect(group(true)).toBeNull();
    expect(group(true, 'search')).toBe('backend of phase search');
  });
});

it('a column that is replaced frees the names of the indexes and keys that go with it, and no others', () => {
  const over = {
    indexes: [
      index('by_code', ['code']),
      index('with_code', ['title'], { include: ['code'] }),
      index('where_code', ['title'], { where: "code <> ''" }),
      index('by_title', ['title']),
    ],
    constraints: [uniqueKey('code_key', ['title', 'code']), uniqueKey('title_key', ['title'])],
  };
  const columns = ({ expression }: { readonly expression: string }) => (expression.includes('code') ? ['code'] : []);
  const [dropped] = neededFor({ type: 'text', generated: LOWER }, {}, over, { columns });
  expect(dropped).toMatchObject({
    action: 'replace-column',
    status: 'pending',
    frees: ['by_code', 'with_code', 'where_code', 'code_key'],
  });
  const [retyped] = neededFor({ type: 'uuid' }, {}, { constraints: over.constraints }, { columns });
  expect(retyped).toMatchObject({ action: 'alter-column', status: 'pending', frees: [] });
});

it('a column that is replaced names what goes with it and does not come again, since nothing declares it', () => {
  const over = {
    indexes: [index('mine', ['code']), index('declared', ['code']), index('elsewhere', ['title'])],
    constraints: [
      { kind: 'check', name: 'filled', expression: "code <> ''", noInherit: false, validated: true },
      { kind: 'check', name: 'other', expression: "title <> ''", noInherit: false, validated: true },
      { kind: 'check', name: 'trueup_0123456789abcdef', expression: 'code IS NULL', noInherit: false, validated: true },
    ],
  } as const;
  const columns = ({ expression }: { readonly expression: string }) => (expression.includes('code') ? ['code'] : []);
  const tables = [desiredTable({ indexes: [desiredIndex('declared', ['code'])] })];
  const [made] = neededFor(
    { type: 'uuid' },
    {},
    over,
    { rows: 'some', columns, 'going-along': ['statistics pair'] },
    { tables },
  );
  expect(made).toMatchObject({
    status: 'pending',
    reason:
      'type is text, declared uuid; with it go constraint filled, index mine, statistics pair, which nothing declares',
  });
  const declared = { indexes: [index('declared', ['code'])] };
  const [all] = neededFor({ type: 'uuid' }, {}, declared, { columns }, { tables });
  expect(all).toMatchObject({ status: 'pending', reason: 'type is text, declared uuid' });
});

it('a column that is generated otherwise waits for those that it is computed from', () => {
  const columns = ({ expression }: { readonly expression: string }) => (expression.includes('title') ? ['title'] : []);
  const existing = { generated: { expression: 'upper(title)', kind: 'stored' } } as const;
  const [made] = neededFor({ generated: LOWER }, existing, {}, { columns });
  expect(made).toMatchObject({
    action: 'replace-column',
    needs: ['table:items', 'column:items.title', 'plain:items.title'],
  });
});

it('a column that is replaced by a NOT NULL one that nothing fills is refused where there are rows, approved or not', () => {
  const allow = new Set(['rebuild-column'] as const);
  const wanted = { type: 'integer', notNull: true };
  const computed = { generated: LOWER };
  for (const [existing, values] of [
    [{}, 'none'],
    [computed, 'some'],
  ] as const) {
    const [made] = neededFor(wanted, existing, {}, { rows: 'some', values }, { allow });
    expect(made).toMatchObject({ status: 'blocked', obstacle: expect.stringContaining('has no value for them') });
    const filled = actions({ ...wanted, default: '0' }, existing, {}, { rows: 'some', values }, { allow });
    expect(filled).toEqual(['replace-column pending']);
    expect(actions(wanted, existing, {}, { rows: 'none' })).toEqual(['replace-column pending']);
  }
});

it('a column without values that is replaced by one which each row gets a value in says that the table is rewritten', () => {
  const hazards = (wanted: Partial<DesiredColumn>, rows: string) =>
    neededFor({ type: 'integer', ...wanted }, {}, {}, { rows, values: 'none' })[0]?.hazards;
  for (const wanted of [{ generated: LOWER }, { identity: IDENTITY }, { default: 'random()' }]) {
    expect(hazards(wanted, 'some')).toEqual(['COLUMN_DROPPED', 'TABLE_REWRITE']);
    expect(hazards(wanted, 'none')).toEqual(['COLUMN_DROPPED']);
  }
  expect(hazards({ default: '7' }, 'some')).toEqual(['COLUMN_DROPPED']);
  expect(hazards({}, 'some')).toEqual(['COLUMN_DROPPED']);
});
