import { describe, expect, it } from 'vitest';
import type { ExplainedIndex } from '../../src/explain/explanation.js';
import type { Access } from '../../src/explain/plan-nodes.js';
import { type Evidence, type JudgedIndex, judge } from '../../src/explain/verdict.js';

const index = (oid: string, fields: Partial<JudgedIndex> = {}): JudgedIndex => ({
  oid,
  method: 'hnsw',
  ofExtension: true,
  partial: true,
  alike: true,
  ...fields,
});
const INDEXES = new Map([
  ['member', index('1')],
  ['global', index('2', { partial: false, alike: false })],
  ['renamed', index('3')],
  ['wider', index('4', { alike: false })],
  ['btree', index('5', { method: 'btree', ofExtension: false, partial: false, alike: false })],
  ['gist', index('6', { method: 'gist', ofExtension: false, partial: false, alike: false })],
]);
const found: ExplainedIndex = {
  oid: '1',
  name: 'member',
  method: 'hnsw',
  extension: 'vector',
  valid: true,
  partial: true,
  bytes: 1,
};
const FAMILY: Evidence['expected'] = { serves: { kind: 'family', label: 'f' }, found, state: 'valid' };
const GONE: Evidence['expected'] = { ...FAMILY, found: null, state: 'missing' };

const by = (...indexes: readonly string[]): Access => ({ indexes, ordered: indexes.length > 0 });
const judged = (access: Access | readonly Access[], fields: Partial<Evidence> = {}) =>
  judge({
    accesses: [access].flat(),
    indexes: INDEXES,
    expected: FAMILY,
    methods: new Set(['hnsw']),
    partition: { counted: 11, capped: true },
    table: { counted: 11, capped: true },
    exactRows: 10,
    ...fields,
  });
const few = { counted: 10, capped: false };

describe('a verdict', () => {
  it('is member when the member is taken, by its oid and only while it is what is declared', () => {
    expect(judged(by('member'))).toEqual({ verdict: 'member', ok: true });
    const found2 = { ...found, oid: '99' };
    expect(judged(by('member'), { expected: { ...FAMILY, found: found2 } })).not.toMatchObject({ verdict: 'member' });
    const other = { ...FAMILY, state: 'other' } as const;
    expect(judged(by('member'), { expected: other })).toMatchObject({ verdict: 'other-index' });
  });

  it('is index for a probe of one declared index', () => {
    const serves = { kind: 'index', name: 'member' } as const;
    expect(judged(by('member'), { expected: { ...FAMILY, serves } })).toEqual({ verdict: 'index', ok: true });
    // Over the whole table as it should be: no filter after it is at fault.
    expect(judged(by('global'), { expected: { ...GONE, serves } })).toEqual({ verdict: 'other-index', ok: false });
  });

  it('is global-post-filter, and bad, when an index over the whole table is searched, however few the rows', () => {
    expect(judged(by('global'))).toEqual({ verdict: 'global-post-filter', ok: false });
    expect(judged(by('global'), { expected: GONE, partition: few, table: few })).toEqual({
      verdict: 'global-post-filter',
      ok: false,
    });
  });

  it('is exact by an index that finds what matches, and good for few rows', () => {
    expect(judged(by('btree'))).toEqual({ verdict: 'exact', ok: false });
    expect(judged(by('btree'), { partition: few })).toEqual({ verdict: 'exact', ok: true });
    expect(judged(by('btree'), { partition: { counted: 11, capped: false } })).toMatchObject({ ok: false });
    // PostgreSQL's own nearest-neighbour search goes on until it has enough.
    expect(judged(by('gist'), { partition: few })).toEqual({ verdict: 'exact', ok: true });
  });

  it('is sequential without an index, and good for a small table, not for a small partition of a large one', () => {
    expect(judged(by())).toEqual({ verdict: 'sequential', ok: false });
    expect(judged(by(), { partition: few })).toEqual({ verdict: 'sequential', ok: false });
    expect(judged(by(), { partition: few, table: few })).toEqual({ verdict: 'sequential', ok: true });
  });

  it('is other-index for another one of the kind, good when that does the same', () => {
    expect(judged(by('renamed'), { expected: GONE })).toEqual({ verdict: 'other-index', ok: true });
    expect(judged(by('wider'), { expected: GONE })).toEqual({ verdict: 'other-index', ok: false });
  });

  it('is that of the worst place where the table is read', () => {
    expect(judged([by('member'), by('global'), by('btree')])).toMatchObject({ verdict: 'global-post-filter' });
    expect(judged([by('member'), by()])).toEqual({ verdict: 'sequential', ok: false });
    expect(judged([by(), by('member')], { table: few })).toEqual({ verdict: 'sequential', ok: true });
    expect(judged([by('member'), { indexes: ['btree', 'member'], ordered: false }])).toMatchObject({
      verdict: 'member',
    });
  });

  it('is none for a plan that does not read the table', () => {
    expect(judged([])).toBeNull();
  });
});
