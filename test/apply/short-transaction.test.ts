import { expect, it } from 'vitest';
import { TableOrder } from '../../src/apply/lock-order.js';
import type { Statement } from '../../src/apply/statements.js';
import { scriptOf } from '../../src/apply/transaction-unit.js';
import type { Step } from '../../src/diff/step.js';
import { sql } from '../../src/sql/template.js';

const BUDGET = 500;
const order = new TableOrder(new Map([['tenant', ['items', 'shops']]]));

/** A statement that takes this lock. */
const taking = (lock: Step['lock']): Statement => ({
  sql: 'ALTER …',
  step: { sql: sql`ALTER …`, mode: 'transaction', lock },
  builds: null,
  undo: [],
  offenders: null,
});

const isShort = (...locks: readonly Step['lock'][]) =>
  scriptOf('tenant', { statements: locks.map(taking), evidence: [] }, BUDGET, { order, isFirst: true })?.isShort;

it('one that waits for the lock of its table, and for no other, may share a message with others', () => {
  const items = { mode: 'ACCESS EXCLUSIVE', table: 'items', only: true } as const;
  expect(isShort(items)).toBe(true);
  expect(isShort(items, items)).toBe(true);
  // What its budget has left for the second is told from the message's beginning.
  expect(isShort(items, { ...items, table: 'shops' })).toBe(false);
  expect(isShort({ mode: 'ACCESS EXCLUSIVE', table: 'items' })).toBe(false);
  expect(isShort({ mode: 'NONE', table: null })).toBe(false);
});
