import { expect, it } from 'vitest';
import { applyTenant } from '../../src/apply/apply-tenant.js';
import { TableOrder } from '../../src/apply/lock-order.js';
import { DEFAULT_LIMITS } from '../../src/apply/request.js';
import { RunControl } from '../../src/apply/run-control.js';
import type { TurnContext } from '../../src/apply/turn.js';
import { CONNECTION_LOST } from '../../src/database/database-errors.js';
import { DatabaseError } from '../../src/database/session.js';
import { addColumn, dropIndex, phase, tenant } from '../support/plan-fixture.js';

/** A worker whose transactions end as `made` does, and that can do nothing else. */
const context = (inLine: () => Promise<boolean>) =>
  ({
    worker: { gate: { inLine }, yielded: null },
    crew: { halted: false },
    lane: 'short',
    phases: [phase('base')],
    extensionSchemas: [],
    order: new TableOrder(new Map([['t', ['items']]])),
    request: { limits: DEFAULT_LIMITS, control: new RunControl(), observe: () => {} },
  }) as unknown as TurnContext;
const changed = tenant('t', addColumn('a'), addColumn('b'), dropIndex('items_old'));

it('R4: all changes of a transaction whose connection was lost are in doubt, and none behind it', async () => {
  const lost = () => Promise.reject(new DatabaseError('the connection to the database is lost', CONNECTION_LOST));
  const turn = await applyTenant(changed, context(lost));
  expect(turn.changes.map(({ item, result }) => [item.change.object, result])).toEqual([
    ['a', 'in-doubt'],
    ['b', 'in-doubt'],
    ['items_old', 'not-applied'],
  ]);
  expect(turn).toMatchObject({ begun: true, end: { kind: 'passing' } });
});

it('R6: nothing of a tenant was begun when its first transaction had not got its locks', async () => {
  const locked = () => Promise.reject(new DatabaseError('canceling statement due to lock timeout', '55P03'));
  const turn = await applyTenant(changed, context(locked));
  expect(turn.changes.map(({ result }) => result)).toEqual(['not-applied', 'not-applied', 'not-applied']);
  expect(turn).toMatchObject({ begun: false, end: { kind: 'passing' } });
});
