import { describe, expect, it } from 'vitest';
import { decide, lockedOut, waiting } from '../../src/apply/decision.js';
import type { TenantFailure } from '../../src/apply/outcome.js';
import type { Task } from '../../src/apply/schedule.js';
import type { TenantRun, TurnEnd } from '../../src/apply/turn.js';
import { change, deferred } from '../../src/diff/change.js';
import { addColumn, member, missingMembers, tenant } from '../support/plan-fixture.js';

const NOW = 1_000_000;
const by = { now: NOW, limits: { lockWait: 30_000, attempts: 3 }, random: () => 0.5 };
const task: Task = {
  schema: 't',
  lane: 'short',
  failures: 0,
  overtakenBy: null,
  turns: 0,
  waitingSince: null,
  due: 0,
};
const failure: TenantFailure = { code: 'TENANT_FAILED', message: 'no', sqlstate: '55P03', remedy: null };
const turn = (end: TurnEnd, result: 'applied' | 'not-applied' = 'applied'): TenantRun => ({
  changes: [{ item: { change: addColumn('a'), members: null }, result }],
  begun: result === 'applied',
  end,
});
const still = (...names: readonly string[]) =>
  ({ kind: 'read', tenant: tenant('t', ...names.map((name) => addColumn(name))) }) as const;

describe('what becomes of a tenant after its turn', () => {
  it('has ended when nothing is pending any more, whatever the turn said', () => {
    expect(decide(task, turn({ kind: 'failed', failure }), still(), by)).toEqual({ kind: 'end', left: null });
  });

  it('R10: has ended when its schema is gone', () => {
    expect(decide(task, turn({ kind: 'passing', failure }), { kind: 'gone' }, by)).toEqual({ kind: 'end', left: null });
  });

  it('R6: waits for whoever locks its tables, and is left for another run when that takes too long', () => {
    const tenant = { database: 'main', schema: 't', code: 'TENANT_LOCKED', message: 'no' } as const;
    const standing = { kind: 'unreadable', tenant } as const;
    expect(decide(task, null, standing, by)).toMatchObject({ kind: 'wait', task: { waitingSince: NOW } });
    expect(decide({ ...task, waitingSince: NOW - 30_000 }, null, standing, by)).toMatchObject({
      left: { kind: 'not-attempted', failure: { code: 'TENANT_LOCKED' } },
    });
  });

  it('R12: has failed when it can no longer be read: a run that is to end after so many failures counts it', () => {
    const tenant = { database: 'main', schema: 't', code: 'TENANT_UNREADABLE', message: 'no' } as const;
    expect(decide(task, null, { kind: 'unreadable', tenant }, by)).toMatchObject({
      kind: 'end',
      left: { kind: 'failed', failure: { code: 'TENANT_UNREADABLE', message: 'no' } },
    });
  });

  it('comes again in the lane of long work when what is left is long', () => {
    expect(decide(task, turn({ kind: 'long' }), still('b'), by)).toMatchObject({
      kind: 'again',
      task: { lane: 'long' },
    });
  });

  it('comes again when something new is pending, and not when what it did is asked for once more', () => {
    expect(decide(task, turn({ kind: 'done' }), still('b'), by)).toMatchObject({ kind: 'again' });
    for (const asked of [still('a'), still('a', 'b'), still('b', 'a')])
      expect(decide(task, turn({ kind: 'done' }), asked, by)).toMatchObject({
        kind: 'end',
        left: { kind: 'failed', failure: { code: 'NOT_CONVERGED' } },
      });
  });

  it('R3: comes again when another member of a family is missing than those that it made', () => {
    const made = missingMembers(member('1'));
    const turnOfMembers: TenantRun = {
      changes: [{ item: made, result: 'applied' }],
      begun: true,
      end: { kind: 'done' },
    };
    const missing = (...shops: readonly string[]) =>
      ({ kind: 'read', tenant: tenant('t', missingMembers(...shops.map((shop) => member(shop)))) }) as const;
    expect(decide(task, turnOfMembers, missing('2'), by)).toMatchObject({ kind: 'again' });
    expect(decide(task, turnOfMembers, missing('1', '2'), by)).toMatchObject({
      left: { failure: { code: 'NOT_CONVERGED' } },
    });
  });

  it('R6: is tried again after a passing error, later each time, and fails with that error in the end', () => {
    const first = decide(task, turn({ kind: 'passing', failure }, 'not-applied'), still('a'), by);
    expect(first).toMatchObject({ kind: 'retry', task: { failures: 1, due: NOW + 200 } });
    const last = decide({ ...task, failures: 2 }, turn({ kind: 'passing', failure }, 'not-applied'), still('a'), by);
    expect(last).toEqual({ kind: 'end', left: { kind: 'failed', failure } });
  });

  it('R10: is diffed anew after something was not as the diff had it, and fails when that comes again in the same words', () => {
    const missing = { ...failure, sqlstate: '42P01' };
    const end = (one: TenantFailure) => turn({ kind: 'overtaken', failure: one }, 'not-applied');
    const first = decide(task, end(missing), still('a'), by);
    expect(first).toMatchObject({ kind: 'retry', task: { failures: 1, overtakenBy: 'no' } });
    const again = { ...task, failures: 1, overtakenBy: 'no' };
    expect(decide(again, end(missing), still('a'), by)).toEqual({
      kind: 'end',
      left: { kind: 'failed', failure: missing },
    });
    expect(decide(again, end({ ...missing, message: 'another' }), still('a'), by)).toMatchObject({ kind: 'retry' });
    // Rows of a queue come and go.
    const stale: TenantFailure = { code: 'STALE_EVIDENCE', message: 'no', sqlstate: null, remedy: null };
    expect(decide(again, end(stale), still('a'), by)).toMatchObject({ kind: 'retry' });
  });

  it('what others hold again after something was done is waited for anew', () => {
    const waited = { ...task, waitingSince: NOW - 29_000 };
    expect(decide(waited, turn({ kind: 'done' }), still('b'), by)).toMatchObject({ task: { waitingSince: null } });
  });

  it('fails at once with an error that would come again', () => {
    expect(decide(task, turn({ kind: 'failed', failure }, 'not-applied'), still('a'), by)).toEqual({
      kind: 'end',
      left: { kind: 'failed', failure },
    });
  });

  it('R16: waits while another session builds what it needs, for as long as it may, and is left over then', () => {
    const building = {
      ...deferred(addColumn('a'), 'process 4711 is building it', 'wait for it'),
      waitsFor: 'build' as const,
    };
    const standing = { kind: 'read', tenant: tenant('t', building) } as const;
    const first = decide(task, null, standing, by);
    expect(first).toMatchObject({ kind: 'wait', task: { waitingSince: NOW } });
    expect(decide({ ...task, waitingSince: NOW - 30_000 }, null, standing, by)).toMatchObject({
      kind: 'end',
      left: { kind: 'not-attempted', failure: { code: 'BUILD_HELD_UP', message: 'process 4711 is building it' } },
    });
  });

  it('R3: waits for another applier no longer than it may, and does not count that as turns', () => {
    const found = waiting({ ...task, turns: 5 }, lockedOut('t'), by);
    expect(found).toMatchObject({ kind: 'wait', task: { turns: 4, waitingSince: NOW, due: NOW + 400 } });
    expect(waiting({ ...task, waitingSince: NOW - 29_999 }, lockedOut('t'), by).kind).toBe('wait');
    expect(waiting({ ...task, waitingSince: NOW - 30_000 }, lockedOut('t'), by)).toMatchObject({
      left: { kind: 'not-attempted', failure: { code: 'TENANT_LOCKED' } },
    });
  });

  it('ends what neither settles nor fails', () => {
    expect(decide({ ...task, turns: 19 }, turn({ kind: 'long' }), still('a'), by)).toMatchObject({ kind: 'again' });
    expect(decide({ ...task, turns: 20 }, turn({ kind: 'long' }), still('a'), by)).toMatchObject({
      left: { kind: 'failed', failure: { code: 'NOT_CONVERGED' } },
    });
  });

  it('is left for another run when its batch had to end for others’ sake time and again', () => {
    for (const none of [null, turn({ kind: 'stopped' }, 'not-applied')])
      expect(decide({ ...task, turns: 20 }, none, still('a'), by)).toMatchObject({
        left: { kind: 'not-attempted', failure: { code: 'TENANT_LOCKED' } },
      });
  });

  it('an ordinary deferred change is waited for by nobody', () => {
    const scarce = deferred(change({ ...addColumn('a') }), 'too few rows', 'wait');
    expect(decide(task, null, { kind: 'read', tenant: tenant('t', scarce) }, by)).toEqual({ kind: 'end', left: null });
  });
});
