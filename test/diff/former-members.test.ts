import { expect, it } from 'vitest';
import type { Question } from '../../src/diff/facts.js';
import { unexpectedMembers } from '../../src/diff/former-members.js';
import { contextWith, desiredTable, index } from '../support/diff-fixture.js';
import { phase } from '../support/plan-fixture.js';

const SEARCH = phase('search', {
  owns: { columns: ['body'], methods: ['gin'], ignoring: [] },
  backend: {
    value: 'fast',
    source: 'flag',
    alternatives: ['fast'],
    resolved: 'fast',
    known: [
      { name: 'fast', methods: [{ name: 'gin', extension: null }], families: [] },
      {
        name: 'old',
        methods: [{ name: 'gin', extension: null }],
        families: [{ table: 'items', label: 'items_${shop}', pattern: '^items_.*$' }],
      },
    ],
  },
});

/** Names that other backends' family has left, and scans by name. */
function dropped(names: readonly string[], scans: Readonly<Record<string, number>>) {
  const usage = (question: Question) => ({
    scans: question.kind === 'usage' ? (scans[question.index] ?? 0) : 0,
    bytes: 8192,
  });
  const indexes = names.map((one) => index(one, ['body'], { method: { name: 'gin', extension: null } }));
  return unexpectedMembers(
    indexes.map((one) => ({ table: 'items', index: one, definition: '' })),
    { desired: desiredTable(), replaced: new Set() },
    contextWith({ usage }, { phases: [SEARCH] }),
  ).map(({ change, members }) => ({
    object: change.object,
    members: members?.map((one) => one.index),
    inUse: change.hazards.includes('INDEX_IN_USE'),
  }));
}

it('members that another backend has left are one change, whichever of them has served queries', () => {
  const family = { object: 'items_${shop}', members: ['items_a', 'items_b'] };
  expect(dropped(['items_a', 'items_b'], {})).toEqual([{ ...family, inUse: false }]);
  expect(dropped(['items_a', 'items_b'], { items_b: 3 })).toEqual([{ ...family, inUse: true }]);
});
