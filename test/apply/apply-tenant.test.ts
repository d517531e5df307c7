import { expect, it } from 'vitest';
import { applyTenant } from '../../src/apply/apply-tenant.js';
import { TableOrder } from '../../src/apply/lock-order.js';
import { DEFAULT_LIMITS } from '../../src/apply/request.js';
import { RunControl } from '../../src/apply/run-control.js';
import type { TurnContext } from '../../src/apply/turn.js';
import { CONNECTION_LOST } from '../../src/database/database-errors.js';
import { DatabaseError } from '../../src/database/session.js';
import { TrueupError } from '../../src/trueup-error.js';
import { addColumn, dropIndex, phase, tenant } from '../support/plan-fixture.js';

/** A worker whose transactions end as `inLine` does, and that can do nothing else. */
const context = (inLine: () => Promise<boolean>) =>
  ({
    worker: { gate: { inLine } },
    crew: { halted: false },
    lane: 'short',
    phases: [phase('base')],
    allowedSchemas: [],
    order: new TableOrder(new Map([['t', ['items']]])),
    request: { limits: DEFAULT_LIMITS, control: new RunControl(), observe: () => {} },
  }) as unknown as TurnContext;
const refusing = (code: string, message = 'no') => Promise.reject(new DatabaseError(message, code));
const changed = tenant('t', addColumn('a'), addColumn('b'), dropIndex('items_old'));

it('R4: all changes of a transaction whose connection was lost are in doubt, and none behind it', async () => {
  const turn = await applyTenant(
    changed,
    context(() => refusing(CONNECTION_LOST)),
  );
  expect(turn.changes.map(({ item, result }) => [item.change.object, result])).toEqual([
    ['a', 'in-doubt'],
    ['b', 'in-doubt'],
    ['items_old', 'not-applied'],
  ]);
  expect(turn).toMatchObject({ begun: true, end: { kind: 'passing' } });
});

it('R6: nothing of a tenant was begun when its first transaction had not got its locks', async () => {
  const turn = await applyTenant(
    changed,
    context(() => refusing('55P03')),
  );
  expect(turn.changes.map(({ result }) => result)).toEqual(['not-applied', 'not-applied', 'not-applied']);
  expect(turn).toMatchObject({ begun: false, end: { kind: 'passing' } });
});

const short = tenant('t', addColumn('a'), addColumn('b'));

it('what its transaction has made is applied, and nothing is where that was not to be made any more', async () => {
  const made = await applyTenant(
    short,
    context(async () => true),
  );
  expect(made).toMatchObject({ begun: true, end: { kind: 'done' } });
  expect(made.changes.map(({ result }) => result)).toEqual(['applied', 'applied']);
  const stopped = await applyTenant(
    short,
    context(async () => false),
  );
  expect(stopped).toMatchObject({ begun: false, end: { kind: 'stopped' } });
  expect(stopped.changes.map(({ result }) => result)).toEqual(['not-applied', 'not-applied']);
});

it('a build that gave way comes again; a cancelled statement was stopped where the run is, and has failed elsewhere', async () => {
  const cancelled = () => refusing('57014', 'canceling statement due to user request');
  const giving = context(() => Promise.reject(new TrueupError('BUILD_YIELDED', 'the build gave way')));
  expect((await applyTenant(short, giving)).end).toMatchObject({ kind: 'passing', failure: { code: 'BUILD_YIELDED' } });
  expect((await applyTenant(short, context(cancelled))).end).toMatchObject({
    kind: 'failed',
    failure: { sqlstate: '57014' },
  });
  const draining = context(async () => {
    draining.request.control.drain('SIGTERM');
    return cancelled();
  });
  expect((await applyTenant(short, draining)).end).toEqual({ kind: 'stopped' });
});
