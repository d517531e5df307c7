import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoff, Schedule, type Task } from '../../src/apply/schedule.js';

const names = (schedule: Schedule, now = 0): readonly string[] => {
  const turn = schedule.next(now);
  return turn.kind === 'batch' ? turn.tasks.map((task) => task.schema) : [];
};
const tasksOf = (schedule: Schedule, now = 0): readonly Task[] => {
  const turn = schedule.next(now);
  if (turn.kind !== 'batch') throw new Error(`no batch, but ${turn.kind}`);
  return turn.tasks;
};

describe('a schedule', () => {
  it('offers short work in batches of 250, and long work in batches of ten', () => {
    const schedule = new Schedule(
      Array.from({ length: 550 }, (_, at) => `t${at}`),
      250,
    );
    const first = tasksOf(schedule);
    expect(first).toHaveLength(250);
    for (const task of first) schedule.again({ ...task, lane: 'long' });
    expect(tasksOf(schedule)).toHaveLength(250);
    for (const { schema } of tasksOf(schedule)) schedule.end(schema);
    for (const { schema } of tasksOf(schedule)) schedule.end(schema);
    expect(schedule.next(0)).toMatchObject({ kind: 'batch', lane: 'long', tasks: { length: 10 } });
  });

  it('keeps what was taken from any other batch until it comes again', () => {
    const schedule = new Schedule(['a', 'b', 'c'], 2);
    const first = tasksOf(schedule);
    schedule.take(first);
    expect(names(schedule)).toEqual(['c']);
    schedule.take(tasksOf(schedule));
    expect(schedule.next(0).kind).toBe('wait');
    for (const task of first) schedule.again(task);
    expect(names(schedule)).toEqual(['a', 'b']);
    for (const name of ['a', 'b', 'c']) schedule.end(name);
    expect(schedule.next(0)).toEqual({ kind: 'done' });
  });

  it('has nothing of what has ended, though something puts it back', () => {
    const schedule = new Schedule(['a'], 2);
    const [task] = tasksOf(schedule);
    schedule.end('a');
    if (task !== undefined) schedule.again(task);
    expect([schedule.has('a'), schedule.next(0)]).toEqual([false, { kind: 'done' }]);
  });

  it('has smaller batches of long work too, where batches are to be small', () => {
    const schedule = new Schedule(['a', 'b', 'c', 'd', 'e'], 4);
    for (const task of tasksOf(schedule)) schedule.again({ ...task, lane: 'long' });
    schedule.end('e');
    expect(schedule.next(0)).toMatchObject({ kind: 'batch', lane: 'long', tasks: { length: 4 } });
  });

  it('does short work before long work that has waited longer', () => {
    const schedule = new Schedule(['builds', 'quick'], 250);
    const [builds] = tasksOf(schedule);
    if (builds !== undefined) schedule.again({ ...builds, lane: 'long' });
    expect(names(schedule)).toEqual(['quick']);
  });

  it('tells how long nothing is due', () => {
    const schedule = new Schedule(['a', 'b'], 250);
    for (const task of tasksOf(schedule)) schedule.again({ ...task, due: task.schema === 'a' ? 900 : 300 });
    expect(schedule.next(100)).toEqual({ kind: 'wait', ms: 200 });
    expect(names(schedule, 300)).toEqual(['b']);
  });

  it('is done when every tenant has ended, and counts the turns of those that come again', () => {
    const schedule = new Schedule(['a'], 250);
    const [first] = tasksOf(schedule);
    if (first !== undefined) schedule.again(first);
    expect(tasksOf(schedule)[0]?.turns).toBe(1);
    schedule.end('a');
    expect(schedule.next(0)).toEqual({ kind: 'done' });
  });

  it('R6: waits longer from failure to failure, with jitter, and never longer than seven and a half seconds', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (failures, chance) => {
        const delay = backoff(failures, () => chance);
        expect(delay).toBeGreaterThanOrEqual(50);
        expect(delay).toBeLessThanOrEqual(7500);
      }),
    );
    expect(backoff(2, () => 0.5)).toBeGreaterThan(backoff(1, () => 0.5));
  });
});
