import { expect, it } from 'vitest';
import { switchGroup } from '../../src/diff/backend-switch.js';
import { blocked, type Change, change, deferred, key } from '../../src/diff/change.js';
import { settle } from '../../src/diff/settle.js';

const made = (object: string, fields: Partial<Change> = {}): Change =>
  change({ phase: 'search', action: 'rebuild-index', table: 'items', object, reason: 'differs', steps: [], ...fields });

const statuses = (...changes: readonly Change[]) =>
  settle(
    changes.map((one) => ({ change: one })),
    [],
  ).map((item) => `${item.change.object} ${item.change.status}`);

const group = switchGroup('search');
const column = made('code', { phase: 'base', action: 'add-column', provides: [key.column('items', 'code')] });
const part = made('items_code', { group, needs: [key.column('items', 'code')] });

it('a switch of backends is refused whole where a part of it waits for what is refused', () => {
  expect(statuses(blocked(column, 'no', 'do'), part, made('items_body', { group }), made('alone'))).toEqual([
    'code blocked',
    'items_code blocked',
    'items_body blocked',
    'alone blocked',
  ]);
});

it('and what waits for that is refused with it', () => {
  const needs = [key.index('items', 'items_body')];
  const body = made('items_body', { group, provides: needs });
  expect(statuses(made('later', { phase: 'base', needs }), body, part, blocked(column, 'no', 'do'))).toEqual([
    'later blocked',
    'items_body blocked',
    'items_code blocked',
    'code blocked',
  ]);
});

it('a part that is put off puts no other off: each index stays until its successor can be built', () => {
  expect(statuses(deferred(column, 'later', 'none'), part, made('items_body', { group }))).toEqual([
    'code deferred',
    'items_code deferred',
    'items_body pending',
  ]);
});
