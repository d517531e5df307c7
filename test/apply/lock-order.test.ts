import { describe, expect, it } from 'vitest';
import { lockModes, TableOrder } from '../../src/apply/lock-order.js';
import type { LockMode } from '../../src/diff/lock-mode.js';
import type { Step } from '../../src/diff/step.js';
import { sql } from '../../src/sql/template.js';

const step = (mode: LockMode, table: string | null): Step => ({
  sql: sql`SELECT 1`,
  mode: 'transaction',
  lock: { mode, table },
});

describe('the tables that a transaction locks first', () => {
  it('are those that it changes, each in the strongest mode that a statement asks for', () => {
    const steps = [
      step('SHARE', 'a'),
      step('ACCESS EXCLUSIVE', 'a'),
      step('SHARE ROW EXCLUSIVE', 'a'),
      step('SHARE', 'b'),
    ];
    expect([...lockModes(steps, [])]).toEqual([
      ['a', 'ACCESS EXCLUSIVE'],
      ['b', 'SHARE'],
    ]);
  });

  it('are not those whose writers it lets go on, nor what nobody can know yet', () => {
    expect([...lockModes([step('SHARE UPDATE EXCLUSIVE', 'a'), step('ACCESS EXCLUSIVE', null)], [])]).toEqual([]);
  });

  it('R21: are those of its evidence as well, against writers', () => {
    const evidence = [{ kind: 'no-rows', table: 'a' } as const, { kind: 'no-rows', table: 'b' } as const];
    expect([...lockModes([step('ACCESS EXCLUSIVE', 'a')], evidence)]).toEqual([
      ['a', 'ACCESS EXCLUSIVE'],
      ['b', 'SHARE'],
    ]);
  });
});

describe('the order in which they are locked', () => {
  const order = new TableOrder(new Map([['t', ['b', 'a']]]));

  it('is that of their oids, whatever the order in which they are asked for', () => {
    expect(order.known('t', ['a', 'b'], false)).toEqual(['b', 'a']);
    expect(order.known('t', ['a'], false)).toEqual(['a']);
  });

  it('has to be asked where a table was not there and may be by now, or nothing is known', () => {
    expect(order.known('t', ['a', 'new'], false)).toBeNull();
    expect(order.known('t', ['a', 'new'], true)).toEqual(['a']);
    expect(order.known('other', ['a'], true)).toBeNull();
  });
});
