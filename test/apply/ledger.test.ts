import { describe, expect, it } from 'vitest';
import { Ledger, type Left } from '../../src/apply/ledger.js';
import type { ChangeOutcome, TenantFailure } from '../../src/apply/outcome.js';
import { blocked, type Change } from '../../src/diff/change.js';
import { addColumn, member, missingMembers, refusedRebuild, tenant, waitingIndex } from '../support/plan-fixture.js';

const failure: TenantFailure = { code: 'TENANT_FAILED', message: 'no', sqlstate: null, remedy: null };
const did = (column: string, result: ChangeOutcome['result']): ChangeOutcome => ({
  item: { change: addColumn(column), members: null },
  result,
});
const planned = tenant('t', addColumn('a'), addColumn('b'));
const read = (...changes: readonly Change[]) => ({ kind: 'read', tenant: tenant('t', ...changes) }) as const;
const of = (ledger: Ledger) => {
  const { outcome, changes, error } = ledger.outcome(planned);
  return { outcome, changes: changes.map(({ item, result }) => `${item.change.object} ${result}`), error };
};

/** A tenant after one turn in which `a` was made, or what else is said, and as it then stands. */
function after(result: ChangeOutcome['result'], ...left: readonly Change[]): Ledger {
  const ledger = new Ledger();
  ledger.record('t', { changes: [did('a', result)], begun: result !== 'not-applied' });
  ledger.stands('t', read(...left));
  return ledger;
}

describe('what a run comes to for a tenant', () => {
  it('R4: what was in doubt was done when it is not asked for again, though other changes are', () => {
    const ledger = after('in-doubt', addColumn('b'));
    ledger.record('t', { changes: [did('b', 'applied')], begun: true });
    ledger.stands('t', read());
    expect(of(ledger)).toEqual({ outcome: 'converged', changes: ['a applied', 'b applied'], error: null });
  });

  it('R4: what was in doubt was done when only what is refused is left', () => {
    const refused = blocked(addColumn('a'), 'no', 'no');
    expect(of(after('in-doubt', refused))).toMatchObject({
      outcome: 'partial',
      changes: ['a applied', 'a not-applied'],
    });
  });

  it('R4: what was in doubt and is asked for again stays so until the next turn makes it', () => {
    const ledger = after('in-doubt', addColumn('a'), addColumn('b'));
    expect(of(ledger).changes).toEqual(['a in-doubt']);
    ledger.record('t', { changes: [did('a', 'applied'), did('b', 'applied')], begun: true });
    expect(of(ledger).changes).toEqual(['a applied', 'b applied']);
  });

  it('R8: a tenant that was begun on stays so, whatever later turns come to', () => {
    const ledger = after('applied', addColumn('b'));
    ledger.record('t', { changes: [did('b', 'not-applied')], begun: false });
    expect([ledger.begun('t'), after('not-applied', addColumn('b')).begun('t')]).toEqual([true, false]);
  });

  it('R4: a lost build is not done where what it left is to be rebuilt', () => {
    const rebuild = { ...addColumn('a'), action: 'rebuild-index' as const, reason: 'is INVALID' };
    expect(of(after('in-doubt', rebuild)).changes).toEqual(['a in-doubt']);
  });

  it('R4: members of a family are in doubt as long as one of them is asked for', () => {
    const ledger = new Ledger();
    const made = missingMembers(member('acme'), member('bolt'));
    ledger.record('t', { changes: [{ item: made, result: 'in-doubt' }], begun: true });
    ledger.stands('t', { kind: 'read', tenant: tenant('t', missingMembers(member('bolt'))) });
    expect(of(ledger).changes).toEqual([`${made.change.object} in-doubt`]);
  });

  it('says why for what failed, went stale or was left, and for nothing else', () => {
    for (const kind of ['failed', 'stale', 'not-attempted'] as const) {
      const ledger = after('not-applied', addColumn('a'));
      ledger.leave('t', { kind, failure });
      expect(of(ledger)).toMatchObject({ outcome: kind, error: failure });
      expect([ledger.isStale('t'), ledger.isOpen(planned)]).toEqual([kind === 'stale', false]);
    }
    expect(after('not-applied', addColumn('a')).isOpen(planned)).toBe(true);
    expect(after('applied').isOpen(planned)).toBe(false);
  });

  it('R6: is not attempted when others lock it, and has failed when it cannot be read for any other reason', () => {
    const end = (code: 'TENANT_LOCKED' | 'TENANT_UNREADABLE') => {
      const ledger = new Ledger();
      ledger.stands('t', { kind: 'unreadable', tenant: { database: 'main', schema: 't', code, message: 'no' } });
      return of(ledger);
    };
    expect(end('TENANT_LOCKED')).toMatchObject({ outcome: 'not-attempted', error: { code: 'TENANT_LOCKED' } });
    expect(end('TENANT_UNREADABLE')).toMatchObject({ outcome: 'failed', error: { code: 'TENANT_UNREADABLE' } });
  });

  it('is expected to be as it was last seen, and as nothing where it could not be', () => {
    const ledger = after('applied', addColumn('b'));
    expect(ledger.lastSeen('t')?.changes.map(({ change }) => change.object)).toEqual(['b']);
    ledger.stands('t', { kind: 'gone' });
    expect([ledger.lastSeen('t'), ledger.lastSeen('other')]).toEqual([null, null]);
  });

  it('has its first turn once', () => {
    const ledger = new Ledger();
    expect([ledger.start('t'), ledger.start('t'), ledger.start('u')]).toEqual([true, false, true]);
  });

  it('is told by what is left: nothing, what is refused, what is put off', () => {
    expect(of(after('applied')).outcome).toBe('converged');
    expect(of(after('not-applied')).outcome).toBe('in-sync');
    expect(of(after('applied', refusedRebuild)).outcome).toBe('partial');
    expect(of(after('not-applied', refusedRebuild)).outcome).toBe('blocked');
    expect(of(after('applied', waitingIndex)).outcome).toBe('converged');
    expect(of(after('not-applied', waitingIndex)).outcome).toBe('deferred');
    expect(of(after('applied', addColumn('b'))).outcome).toBe('not-attempted');
    expect(of(new Ledger()).outcome).toBe('not-attempted');
  });

  it('R10: has vanished when its schema is gone, though a change of it failed', () => {
    const ledger = after('not-applied', addColumn('a'));
    ledger.leave('t', { kind: 'failed', failure });
    ledger.stands('t', { kind: 'gone' });
    expect(of(ledger)).toEqual({ outcome: 'vanished', changes: ['a not-applied'], error: null });
  });

  it('R12: only what failed, or was left for others’ sake, is trouble', () => {
    const troubled = (left: Left) => {
      const ledger = after('not-applied', addColumn('a'));
      ledger.leave('t', left);
      return ledger.isTroubled('t');
    };
    expect(troubled({ kind: 'failed', failure })).toBe(true);
    expect(troubled({ kind: 'not-attempted', failure })).toBe(true);
    expect(troubled({ kind: 'stale', failure })).toBe(false);
    expect(after('applied').isTroubled('t')).toBe(false);
  });
});
