import { describe, expect, it } from 'vitest';
import type { DesiredState } from '../../src/desired-state/model.js';
import { type InvalidIndex, judgeInvalid } from '../../src/doctor/checks/invalid-indexes.js';
import { judgeLocks, type LockTableFacts } from '../../src/doctor/checks/lock-table.js';
import { judgeSlots, type SlotRow } from '../../src/doctor/checks/replication-slots.js';
import { judgeTenants } from '../../src/doctor/checks/tenants.js';
import { judgeUsage, type UsageGroup } from '../../src/doctor/checks/unused-indexes.js';
import { type Ages, judgeAges } from '../../src/doctor/checks/wraparound.js';
import { finding, SHOWN } from '../../src/doctor/finding.js';
import { MemberLabels } from '../../src/doctor/member-labels.js';

const severities = (found: readonly { readonly severity: string }[]) => found.map(({ severity }) => severity);

describe('a finding', () => {
  it('names the first few of what it is about, counts them all, and gives as many statements', () => {
    const subjects = Array.from({ length: 40 }, (_, at) => `t${at}`);
    const found = finding('privileges', 'problem', { what: 'x', subjects, statements: subjects });
    expect(found.subjects).toEqual({ count: 40, shown: subjects.slice(0, SHOWN) });
    expect(found.statements).toHaveLength(SHOWN);
  });
});

describe('the tenants', () => {
  const tenants = [{ oid: '1', schema: 'a' }];
  it('that are listed and not there are named', () => {
    const found = judgeTenants({ tenants, lookAlikes: [], missing: ['gone'] });
    expect(severities(found)).toEqual(['ok', 'warning']);
    expect(found[1]?.subjects).toEqual({ count: 1, shown: ['gone'] });
  });
});

describe('the lock table', () => {
  const facts = (indexes: number, more: Partial<LockTableFacts> = {}): LockTableFacts => ({
    perTransaction: 64,
    connections: 100,
    prepared: 0,
    busiest: { schema: 's', table: 't', indexes },
    ...more,
  });
  it.each([
    [10, 'ok'],
    [255, 'ok'],
    [256, 'warning'],
    [2000, 'problem'],
    [6400, 'problem'],
  ] as const)('with %i indexes on the busiest table is %s at the default settings', (indexes, severity) => {
    expect(severities(judgeLocks(facts(indexes), 4))).toEqual([severity]);
  });
  it('is judged against the connections of an apply, too', () => {
    expect(severities(judgeLocks(facts(199), 4))).toEqual(['ok']);
    expect(severities(judgeLocks(facts(199), 40))).toEqual(['problem']);
  });
  it('is to hold all locks of one statement in one session’s share, and then does', () => {
    const [found] = judgeLocks(facts(3000), 4);
    const enough = Number(/= (\d+)$/u.exec(found?.statements[0] ?? '')?.[1]);
    expect(severities(judgeLocks(facts(3000, { perTransaction: enough }), 4))).toEqual(['ok']);
  });
  it('counts prepared transactions, and is well where there is no table', () => {
    expect(severities(judgeLocks(facts(256, { prepared: 100 }), 4))).toEqual(['ok']);
    expect(severities(judgeLocks(facts(0, { busiest: null }), 4))).toEqual(['ok']);
  });
});

describe('wraparound', () => {
  const ages = (more: Partial<Ages>): Ages => ({
    transactions: 1,
    multixacts: 1,
    freezeAt: 200_000_000,
    multixactFreezeAt: 400_000_000,
    ...more,
  });
  it.each([
    [{ transactions: 390_000_000 }, 'ok'],
    [{ transactions: 410_000_000 }, 'warning'],
    [{ transactions: 1_700_000_000 }, 'problem'],
    [{ multixacts: 790_000_000 }, 'ok'],
    [{ multixacts: 810_000_000 }, 'warning'],
    [{ multixacts: 1_700_000_000 }, 'problem'],
  ] as const)('%o: %s', (of, severity) => {
    expect(severities(judgeAges(ages(of)))).toEqual([severity]);
  });
});

describe('replication slots', () => {
  const slot = (more: Partial<SlotRow>): SlotRow => ({
    slot: 's',
    kind: 'logical',
    active: true,
    temporary: false,
    kept: '100',
    lag: '5',
    ...more,
  });
  it('are told where nobody reads, or where the reader is far behind; only the first can be dropped', () => {
    expect(severities(judgeSlots([slot({})]))).toEqual(['ok']);
    expect(judgeSlots([slot({ active: false })])).toMatchObject([
      { severity: 'warning', statements: [expect.stringMatching(/drop/u)] },
    ]);
    expect(judgeSlots([slot({ lag: '20000000' })])).toMatchObject([{ severity: 'warning', statements: [] }]);
    // Made and never used: it keeps nothing.
    expect(severities(judgeSlots([slot({ active: false, kept: null, lag: null })]))).toEqual(['ok']);
  });
  it('that hold no snapshot are not blamed for what vacuum leaves', () => {
    const [physical] = judgeSlots([slot({ active: false, lag: null })]);
    expect(physical?.why).not.toContain('vacuum');
  });
});

describe('unused indexes', () => {
  const group = (more: Partial<UsageGroup>): UsageGroup => ({
    table: 't',
    label: 'x',
    isFamily: false,
    indexes: 3,
    scans: 7,
    unused: 1,
    unusedBytes: 5 * 1024 ** 2,
    tenants: 1,
    ...more,
  });
  it('are told by size, the largest first, with since when they are counted and what is not seen', () => {
    const groups = [group({}), group({ label: 'y', unusedBytes: 1024 ** 3 }), group({ label: 'z', unused: 0 })];
    const [found] = judgeUsage({ groups, since: '2026-01-02T03:04:05Z' }, false);
    expect(found).toMatchObject({ severity: 'note', what: expect.stringContaining('since 2026-01-02T03:04:05Z') });
    expect(found?.why).toContain('Scans on standbys are not seen here');
    expect(found?.subjects.shown).toEqual([
      't: 1 of 3 indexes y, in 1 tenant, 1.0 GB; the others served 7 scans',
      't: 1 of 3 indexes x, in 1 tenant, 5.0 MB; the others served 7 scans',
    ]);
    expect(judgeUsage({ groups, since: null }, true)[0]).toMatchObject({
      what: expect.stringMatching(/never reset.*on this standby alone/u),
      why: expect.stringContaining('the primary and on other standbys are not seen'),
    });
  });
  it('of a few pages are not worth a word', () => {
    expect(severities(judgeUsage({ groups: [group({ unusedBytes: 16_384 })], since: null }, false))).toEqual(['ok']);
  });
});

describe('INVALID indexes', () => {
  const labels = new MemberLabels({ tables: [], phases: [] } as unknown as DesiredState);
  const index = (name: string, builder: number | null = null): InvalidIndex => ({
    schema: 's',
    table: 't',
    name,
    builder,
    phase: null,
  });
  it('are built anew, but for what an interrupted REINDEX has left, and for what is being built', () => {
    const found = judgeInvalid(
      [index('a'), index('b_ccnew'), index('c_ccold1'), index('trueup_0123456789abcdef'), index('d', 4711)],
      labels,
    );
    expect(found.map(({ severity, statements }) => [severity, statements])).toEqual([
      ['note', []],
      ['warning', []],
      [
        'warning',
        ['REINDEX INDEX CONCURRENTLY s.a', 'DROP INDEX CONCURRENTLY s.b_ccnew', 'DROP INDEX CONCURRENTLY s.c_ccold1'],
      ],
    ]);
  });
  it('of which only the name begins as those of an apply are not apply’s to mend', () => {
    const [found] = judgeInvalid([index('trueup_x')], labels);
    expect(found?.statements).toEqual(['REINDEX INDEX CONCURRENTLY s.trueup_x']);
  });
  it('that a phase owns are apply’s to mend, declared or not; of a phase that is left out, with that phase', () => {
    const owned = [{ ...index('global_ccnew'), phase: 'vector' }, index('a')];
    const heads = (skipped: readonly string[]) =>
      judgeInvalid(owned, labels, new Set(skipped)).map(({ what, statements }) => [what, statements.length]);
    expect(heads([])).toEqual([
      ['1 index INVALID that the desired state declares or owns, or that an apply left', 0],
      ['1 index INVALID that the desired state neither names nor owns', 1],
    ]);
    expect(heads(['vector'])).toEqual([
      ['1 index INVALID of a phase that this run leaves out (vector)', 0],
      ['1 index INVALID that no phase of this run names or owns', 1],
    ]);
  });
});
