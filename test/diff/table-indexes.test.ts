import { describe, expect, it } from 'vitest';
import type { DesiredIndex } from '../../src/desired-state/model.js';
import type { TableIndexes } from '../../src/diff/declared-index.js';
import { diffIndexes } from '../../src/diff/table-indexes.js';
import { renderSql } from '../../src/sql/template.js';
import { contextWith, desiredIndex, desiredTable, index, table, uniqueKey } from '../support/diff-fixture.js';
import { phase } from '../support/plan-fixture.js';

const SUCCESSOR = 'trueup_0123456789abcdef';
const NOTHING_ELSE: Pick<TableIndexes, 'owned' | 'replaced' | 'adopted' | 'unclaimed'> = {
  owned: [],
  replaced: new Set(),
  adopted: new Set(),
  unclaimed: [],
};
const POPULATED = contextWith({ rows: 'some' });

/** What one declared index needs on a populated table. */
const needed = (wanted: DesiredIndex, actual: Partial<TableIndexes['actual']>, rest: Partial<TableIndexes> = {}) =>
  diffIndexes(
    {
      desired: desiredTable({ indexes: [wanted] }),
      actual: table(actual),
      ...NOTHING_ELSE,
      ...rest,
    },
    POPULATED,
  );

describe('a successor that an interrupted run has built', () => {
  it.each([
    ['differs', index('items_code', ['shop'])],
    ['is INVALID', index('items_code', ['code'], { valid: false })],
    ['differs, and is INVALID', index('items_code', ['shop'], { valid: false })],
  ])('takes the place of an index that %s, and nothing is built', (_, present) => {
    const changes = needed(desiredIndex('items_code', ['code']), { indexes: [present, index(SUCCESSOR, ['code'])] });
    expect(changes).toMatchObject([{ action: 'rebuild-index', status: 'pending', hazards: ['INDEX_DROPPED'] }]);
    expect(changes[0]?.steps.some((step) => step.builds !== undefined)).toBe(false);
  });

  it('needs no rows any more', () => {
    const wanted = desiredIndex('items_code', ['code'], { requiresRows: { count: 10, where: null } });
    expect(needed(wanted, { indexes: [index('items_code', ['shop']), index(SUCCESSOR, ['code'])] })).toMatchObject([
      { action: 'rebuild-index', status: 'pending' },
    ]);
  });
});

describe('an option that an index takes on as it stands', () => {
  const loose = { options: { fillfactor: '70' } };
  const wanted = desiredIndex('items_code', ['code'], loose);
  const sqlOf = (changes: ReturnType<typeof needed>) =>
    changes[0]?.steps.map(({ sql }) => renderSql(sql, { schema: 't' }));
  const SET = (name: string) => `ALTER INDEX t.${name} SET (fillfactor = '70')`;

  it('is altered, whatever rests on the index: nothing is dropped, and nothing waits for it', () => {
    const changes = needed(wanted, { indexes: [index('items_code', ['code'], { replicaIdentity: true })] });
    expect(changes).toMatchObject([
      {
        action: 'alter-index',
        status: 'pending',
        reason: 'option fillfactor is not set, declared 70',
        hazards: [],
        provides: [],
        needs: [],
      },
    ]);
    expect(sqlOf(changes)).toEqual([SET('items_code')]);
  });

  it.each([
    ['differs besides', index('items_code', ['shop']), 'key is shop, declared code'],
    ['is INVALID', index('items_code', ['code'], { valid: false }), 'is INVALID'],
  ])('comes with the build where the index %s', (_, present, reason) => {
    const changes = needed(wanted, { indexes: [present] });
    expect(changes).toMatchObject([{ action: 'rebuild-index', reason: expect.stringContaining(reason) }]);
    expect(sqlOf(changes)?.filter((sql) => sql.startsWith('ALTER') && sql.includes(' SET '))).toEqual([]);
  });

  it('is set in one transaction with the swap, on a successor that was built with another', () => {
    const changes = needed(wanted, { indexes: [index('items_code', ['shop']), index(SUCCESSOR, ['code'])] });
    expect(changes).toMatchObject([{ action: 'rebuild-index', hazards: ['INDEX_DROPPED'] }]);
    expect(sqlOf(changes)?.[0]).toBe(SET(SUCCESSOR));
    expect(changes[0]?.steps.map(({ mode }) => mode)).toEqual(['transaction', 'transaction', 'transaction', 'online']);
  });

  it('is set on the index that is renamed, or takes a key’s place', () => {
    const renamed = needed(wanted, { indexes: [index(SUCCESSOR, ['code'])] });
    expect(renamed).toMatchObject([
      {
        action: 'rename-index',
        reason: `its definition stands under the name "${SUCCESSOR}"; option fillfactor is not set, declared 70`,
      },
    ]);
    expect(sqlOf(renamed)).toEqual([SET(SUCCESSOR), `ALTER INDEX t.${SUCCESSOR} RENAME TO items_code`]);
    const key = uniqueKey('items_code', ['code']);
    const displacing = needed(
      wanted,
      { indexes: [index(SUCCESSOR, ['code'])], constraints: [key] },
      { unclaimed: [key] },
    );
    expect(sqlOf(displacing)?.[0]).toBe(SET(SUCCESSOR));
  });
});

it('an index that needs a row waits for one row, and says so of thousands too', () => {
  const waits = (count: number) =>
    needed(desiredIndex('items_code', ['code'], { requiresRows: { count, where: null } }), {})[0]?.obstacle;
  expect([waits(1), waits(10_000)]).toEqual(['needs 1 row to be built, has 0', 'needs 10,000 rows to be built, has 0']);
});

it('an index of a method that permits one on a table is refused beside one that may not go, under a key’s name too', () => {
  const method = { name: 'single', extension: 'single' };
  const wanted = desiredIndex('items_code', ['code'], { method, onePerTable: true });
  const key = uniqueKey('items_code', ['code']);
  const stranger = index('theirs', ['code'], { method });
  expect(needed(wanted, { indexes: [stranger], constraints: [key] }, { unclaimed: [key] })).toMatchObject([
    { status: 'blocked', obstacle: expect.stringMatching(/one index on a table, and "theirs"/u) },
  ]);
});

it('an index of another backend that has too few rows goes with an approval, like any other of its', () => {
  const search = phase('search', {
    owns: { columns: ['code'], methods: ['btree', 'fast'], ignoring: [] },
    backend: { value: 'fast', source: 'flag', alternatives: ['fast'], resolved: 'fast', known: [] },
  });
  const policy = { phase: 'search', worthRows: { build: 10, keep: 5 } };
  const desired = desiredTable({ indexes: [desiredIndex('items_code', ['code'], policy)] });
  const context = contextWith({ rows: 'some', count: 2 }, { phases: [search] });
  const of = { desired, actual: table({ indexes: [index('items_code', ['code'])] }), ...NOTHING_ELSE };
  expect(diffIndexes(of, context)).toMatchObject([{ action: 'drop-index', status: 'blocked' }]);
  expect(diffIndexes(of, { ...context, allow: new Set(['rebuild-index']) })).toMatchObject([{ status: 'pending' }]);
});
