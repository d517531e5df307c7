import { describe, expect, it } from 'vitest';
import { familyOf, likenesses } from '../../src/inspect/family.js';
import { codesOf } from '../../src/inspect/family-codes.js';
import type { FamilySource } from '../../src/inspect/family-sources.js';
import type { IndexShape, TableShape } from '../../src/shape/table-shape.js';

const index = (name: string, where: string): IndexShape => ({
  name,
  method: { name: 'btree', extension: null },
  unique: false,
  nullsNotDistinct: false,
  keys: [
    { column: 'at', expression: null, opclass: null, opclassOptions: {}, collation: null, order: 'asc', nulls: 'last' },
  ],
  include: [],
  options: {},
  where,
  valid: true,
  replicaIdentity: false,
});

const table = (indexes: readonly IndexShape[]): TableShape => ({
  name: 'orders',
  kind: 'table',
  persistence: 'permanent',
  columns: [],
  constraints: [],
  indexes,
});

const shops: FamilySource = {
  table: 'shops',
  candidates: [
    { name: 'id', expression: 'id' },
    { name: 'code', expression: 'code' },
  ],
  rows: [
    ['7', 'north'],
    ['8', 'south'],
  ],
};

const found = (indexes: readonly IndexShape[], sources: readonly FamilySource[] = [shops]) =>
  likenesses(table(indexes)).map((group) =>
    familyOf(table(indexes), group, sources, (name) => ({ name, keys: ['at'] })),
  );

describe('alike indexes', () => {
  it('are a family of the rows that give exactly them', () => {
    const [family] = found([
      index('orders_north_open', "((shop_id = 7) AND (state = 'o'::text))"),
      index('orders_north_done', "((shop_id = 7) AND (state = 'd'::text))"),
      index('orders_south_open', "((shop_id = 8) AND (state = 'o'::text))"),
      index('orders_south_done', "((shop_id = 8) AND (state = 'd'::text))"),
    ]);
    expect(family?.document).toEqual({
      name: 'orders_${row.code}_${state.code}',
      for_each: {
        row: { table: 'shops', values: { id: 'id', code: 'code' } },
        state: [
          { value: 'o', code: 'open' },
          { value: 'd', code: 'done' },
        ],
      },
      keys: ['at'],
      where: '((shop_id = ${row.id}) AND (state = ${state.value}::text))',
    });
  });

  const north = index('orders_north', "(shop = 'north'::text)");
  const south = index('orders_south', "(shop = 'south'::text)");
  it.each([
    ['a row without an index', [north, index('orders_north_2', "(shop = 'north'::text)")]],
    ['an index without a row', [north, south, index('orders_west', "(shop = 'west'::text)")]],
    ['a name that is no row’s', [north, index('orders_other', "(shop = 'south'::text)")]],
    ['a single index', [north]],
    [
      'a combination that is missing',
      [
        index('orders_north_open', "((shop = 'north'::text) AND (state = 'o'::text))"),
        index('orders_north_done', "((shop = 'north'::text) AND (state = 'd'::text))"),
        index('orders_south_open', "((shop = 'south'::text) AND (state = 'o'::text))"),
      ],
    ],
    ['names that differ in more than the row', [north, index('other_south', "(shop = 'south'::text)")]],
  ])('are none with %s', (_, indexes) => {
    expect(found(indexes).filter((family) => family !== null)).toEqual([]);
  });

  it('keep the constants that all of them share', () => {
    const [family] = found([
      index('orders_north', "((total > 10) AND (shop = 'north'::text))"),
      index('orders_south', "((total > 10) AND (shop = 'south'::text))"),
    ]);
    expect(family?.document.where).toBe('((total > 10) AND (shop = ${row.code}::text))');
  });
});

describe('the codes in names', () => {
  it('are the whole words in the one place where names differ', () => {
    expect(codesOf(['a_expr_\u0002', 'a_expo_\u0002'])).toEqual({
      before: 'a_',
      after: '_\u0002',
      codes: ['expr', 'expo'],
    });
  });

  it('are none where names differ around the row’s part', () => {
    expect(codesOf(['x_\u0002_y', 'y_\u0002_x'])).toBeNull();
  });
});
