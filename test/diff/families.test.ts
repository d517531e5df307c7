import { describe, expect, it } from 'vitest';
import type { IndexFamily } from '../../src/desired-state/model.js';
import type { TenantChange } from '../../src/diff/change.js';
import type { Question } from '../../src/diff/facts.js';
import { diffFamily } from '../../src/diff/families.js';
import type { ExpectedMember } from '../../src/diff/family-members.js';
import { PredicateMatcher } from '../../src/diff/predicate-matcher.js';
import type { IndexShape } from '../../src/shape/table-shape.js';
import { renderSql } from '../../src/sql/template.js';
import { contextWith, desiredIndex, desiredTable, index, table } from '../support/diff-fixture.js';
import { phase } from '../support/plan-fixture.js';

const OWN = { name: 'fast', extension: 'fast' };
const { name: _, where: __, ...definition } = desiredIndex('', ['body'], { phase: 'search', method: OWN });
const FAMILY: IndexFamily = {
  ...definition,
  label: 'items_${shop.id}',
  name: ['items_', { variable: 'shop.id' }],
  rows: { name: 'shop', table: 'shops', values: { id: 'id' }, source: definition.source },
  lists: [],
  where: ['shop = ', { variable: 'shop.id' }],
};
const SEARCH = phase('search', {
  owns: { columns: ['body'], methods: ['fast', 'gin'], ignoring: [] },
  backend: {
    value: 'fast',
    source: 'flag',
    alternatives: ['fast'],
    resolved: 'fast',
    known: [
      { name: 'fast', methods: [OWN], families: [] },
      { name: 'plain', methods: [{ name: 'gin', extension: null }], families: [] },
    ],
  },
});

/** A member of the backend that runs, and one that PostgreSQL's own method made. */
const own = (shop: string) => member(shop, { method: OWN });
const others = (shop: string) => member(shop, { method: { name: 'gin', extension: null } });
const member = (shop: string, fields: Partial<IndexShape>) =>
  index(`items_${shop}`, ['body'], { where: `shop = '${shop}'`, ...fields });

/** What the family needs on a populated table. */
function changes(
  indexes: readonly IndexShape[],
  shops: readonly string[],
  family: Partial<IndexFamily>,
  answers: Parameters<typeof contextWith>[0] = {},
): readonly TenantChange[] {
  const expected = shops.map((id): [string, ExpectedMember] => [
    `items_${id}`,
    { name: `items_${id}`, values: { 'shop.id': id }, where: `shop = '${id}'` },
  ]);
  return diffFamily(
    {
      desired: desiredTable(),
      family: { ...FAMILY, ...family },
      actual: table(),
      expected: new Map(expected),
      candidates: indexes.map((one) => ({ table: 'items', index: one, definition: '' })),
      replaced: new Set(),
      pattern: /^items_.+$/su,
      later: [],
      earlier: [],
      taken: new Set(),
    },
    new PredicateMatcher(),
    contextWith({ rows: 'some', count: 2, ...answers }, { phases: [SEARCH] }),
  );
}

/** The same as `action members status`. */
const needed = (
  indexes: readonly IndexShape[],
  shops: readonly string[],
  family: Partial<IndexFamily> = {},
): readonly string[] =>
  changes(indexes, shops, family).map(
    ({ change, members }) => `${change.action} ${members?.map((one) => one.index)} ${change.status}`,
  );

describe('the index of another backend under a member’s name', () => {
  it.each([
    ['first', [others('b'), own('a')]],
    ['last', [own('a'), others('b')]],
  ])('needs an approval to go with its rows, which those of the backend itself do not, found %s', (_title, indexes) => {
    expect([...needed(indexes, [])].sort()).toEqual(['drop-index items_a pending', 'drop-index items_b blocked']);
  });

  it('needs one where there are too few rows for any, as well', () => {
    const policy = { worthRows: { build: 10, keep: 5 } };
    expect([...needed([own('a'), others('b')], ['a', 'b'], policy)].sort()).toEqual([
      'drop-index items_a pending',
      'drop-index items_b blocked',
    ]);
  });
});

describe('an option that a member takes on as it stands', () => {
  const gin = { method: { name: 'gin', extension: null }, options: { fastupdate: 'off' } };
  const family = { method: gin.method, options: gin.options };
  const saidOf = (indexes: readonly IndexShape[]) =>
    changes(indexes, ['a', 'b', 'c'], family).map(({ change, members }) => ({
      action: `${change.action} ${members?.map((one) => one.index)}`,
      reason: change.reason,
      steps: change.steps.map(({ sql }) => renderSql(sql, { schema: 't', ...members?.[0] })),
    }));

  it('is altered, one change for all members that lack the same', () => {
    const list = { ...gin, options: { fastupdate: 'on' } };
    const both = { ...gin, options: { gin_pending_list_limit: '64' } };
    expect(saidOf([member('a', list), member('b', both), member('c', list)])).toEqual([
      {
        action: 'alter-index items_a,items_c',
        reason: 'option fastupdate is on, declared off',
        steps: ["ALTER INDEX t.items_a SET (fastupdate = 'off')"],
      },
      {
        action: 'alter-index items_b',
        reason: 'option fastupdate is not set, declared off; option gin_pending_list_limit is 64, declared not set',
        steps: [
          "ALTER INDEX t.items_b SET (fastupdate = 'off')",
          'ALTER INDEX t.items_b RESET (gin_pending_list_limit)',
        ],
      },
    ]);
  });

  it('is set on the index that is renamed, or swapped in, before that', () => {
    const bare = { method: gin.method };
    const renamed = index('lost', ['body'], { where: "shop = 'a'", ...bare });
    const built = index('trueup_0123456789abcdef', ['body'], { where: "shop = 'b'", ...bare });
    const set = (name: string) => `ALTER INDEX t.${name} SET (fastupdate = 'off')`;
    const said = saidOf([renamed, built, member('b', { ...gin, unique: true }), member('c', gin)]);
    expect(said.map(({ action, steps }) => [action, steps[0]])).toEqual([
      ['rebuild-index items_b', set('trueup_0123456789abcdef')],
      ['rename-index items_a', set('lost')],
    ]);
  });
});

describe('members that go', () => {
  it('are one change, whichever of them has served queries: that may be another one at any moment', () => {
    const usage = (scanned: string) => (question: Question) =>
      question.kind === 'usage' && question.index === scanned ? { scans: 3, bytes: 0 } : { scans: 0, bytes: 0 };
    for (const [of, policy] of [
      [[], {}],
      [['a', 'b'], { worthRows: { build: 10, keep: 5 } }],
    ] as const)
      for (const scanned of ['items_b', 'none']) {
        const [change, ...others] = changes([own('a'), own('b')], of, policy, { usage: usage(scanned) });
        expect(others).toEqual([]);
        expect(change?.members?.map((one) => one.index)).toEqual(['items_a', 'items_b']);
        expect(change?.change.hazards.includes('INDEX_IN_USE')).toBe(scanned !== 'none');
      }
  });
});
