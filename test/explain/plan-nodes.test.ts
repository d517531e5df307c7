import { describe, expect, it } from 'vitest';
import { accessesOf, type PlanNode, summaryOf } from '../../src/explain/plan-nodes.js';

const node = (type: string, fields: Partial<PlanNode> = {}): PlanNode => ({ 'Node Type': type, ...fields });
const items = { Schema: 'app', 'Relation Name': 'items' };
const accesses = (plan: PlanNode) => accessesOf(plan, 'app', 'items');

describe('the places where a plan reads a table', () => {
  it('are its scans, with the index of each and whether that gives the order', () => {
    const ordered = node('Index Scan', { ...items, 'Index Name': 'items_v', 'Order By': "(v <=> '[1]')" });
    expect(accesses(node('Limit', { Plans: [ordered] }))).toEqual([{ indexes: ['items_v'], ordered: true }]);
    const only = node('Index Only Scan', { ...items, 'Index Name': 'items_pkey' });
    expect(accesses(only)).toEqual([{ indexes: ['items_pkey'], ordered: false }]);
    expect(accesses(node('Sort', { Plans: [node('Seq Scan', items)] }))).toEqual([{ indexes: [], ordered: false }]);
  });

  it('are one for a bitmap, with every index that goes into it', () => {
    const bitmap = node('Bitmap Heap Scan', {
      ...items,
      Plans: [
        node('BitmapAnd', {
          Plans: [
            node('Bitmap Index Scan', { 'Index Name': 'items_a' }),
            node('Bitmap Index Scan', { 'Index Name': 'items_b' }),
          ],
        }),
      ],
    });
    expect(accesses(bitmap)).toEqual([{ indexes: ['items_a', 'items_b'], ordered: false }]);
  });

  it('are those of this table alone: not of one of the same name in another schema', () => {
    const other = node('Seq Scan', { Schema: 'other', 'Relation Name': 'items' });
    const join = node('Nested Loop', { Plans: [other, node('Index Scan', { ...items, 'Index Name': 'items_pkey' })] });
    expect(accesses(join)).toEqual([{ indexes: ['items_pkey'], ordered: false }]);
  });

  it('are all of those of a union', () => {
    const arms = [node('Index Scan', { ...items, 'Index Name': 'items_v' }), node('Seq Scan', items)];
    expect(accesses(node('Append', { Plans: arms })).map(({ indexes }) => indexes)).toEqual([['items_v'], []]);
  });

  it('include those of a custom scan that names its index', () => {
    expect(accesses(node('Custom Scan', { ...items, Index: 'items_text' }))).toEqual([
      { indexes: ['items_text'], ordered: false },
    ]);
  });
});

describe('the summary of a plan', () => {
  it('holds kinds, costs and indexes, and no condition: those hold values of rows', () => {
    const scan = { ...node('Index Scan', { ...items, 'Index Name': 'items_v' }), Filter: "(shop = 'Greta')" };
    const summary = summaryOf([{ Plan: node('Limit', { 'Total Cost': 4.5, 'Plan Rows': 10, Plans: [scan] }) }]);
    expect(summary).toEqual({
      nodes: [
        { kind: 'Limit', depth: 0, index: null },
        { kind: 'Index Scan', depth: 1, index: 'items_v' },
      ],
      cost: 4.5,
      rows: 10,
      executed: null,
    });
  });

  it('tells what came of a plan that was executed', () => {
    const plan = node('Limit', { 'Actual Rows': 3, 'Actual Loops': 1 });
    expect(summaryOf([{ Plan: plan, 'Execution Time': 0.5 }]).executed).toEqual({ rows: 3, milliseconds: 0.5 });
  });
});
