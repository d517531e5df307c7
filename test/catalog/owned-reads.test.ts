import { expect, it } from 'vitest';
import type { OwnedIndexGroup } from '../../src/catalog/owned-indexes.js';
import { ownedBySchema } from '../../src/catalog/owned-reads.js';
import type { IndexShape } from '../../src/shape/table-shape.js';

const group = (table: string, name: string, ...schemas: readonly string[]): OwnedIndexGroup => ({
  table,
  name,
  definition: 'd',
  where: null,
  phase: 'search',
  representative: '1',
  schemas,
});

it('gives a tenant’s owned indexes in one order, in whatever order the server gave their groups', () => {
  const groups = [group('a', 'x2', 't1'), group('b', 'x0', 't1', 't2'), group('a', 'x1', 't2', 't1')];
  const names = (of: readonly OwnedIndexGroup[]) =>
    [...ownedBySchema(of, new Map([['1', {} as IndexShape]]))]
      .map(([schema, reads]) => [schema, reads.map(({ table, index }) => `${table}.${index.name}`)] as const)
      .sort();
  const expected = [
    ['t1', ['a.x1', 'a.x2', 'b.x0']],
    ['t2', ['a.x1', 'b.x0']],
  ];
  expect(names(groups)).toEqual(expected);
  expect(names(groups.toReversed())).toEqual(expected);
});
