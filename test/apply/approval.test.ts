import { describe, expect, it } from 'vitest';
import { approvalFailure, lossFailure } from '../../src/apply/approval.js';
import { tenantKey } from '../../src/apply/request.js';
import { statementsOf } from '../../src/apply/statements.js';
import { type Change, change, type TenantChange } from '../../src/diff/change.js';
import type { PlannedTenant } from '../../src/plan/fleet-plan.js';
import { addColumn, member, missingMembers, refusedRebuild, tenant } from '../support/plan-fixture.js';

/** What a saved plan that has these tenants approves. */
const approvalOf = (...tenants: readonly PlannedTenant[]) =>
  new Map(
    tenants.map((one) => {
      const statements = new Set(one.changes.flatMap((item) => statementsOf(item, one).map(({ sql }) => sql)));
      return [tenantKey(one), { fingerprint: one.fingerprint, statements }];
    }),
  );
const planned = tenant('t', addColumn('a'), missingMembers(member('acme'), member('bolt')));
const changed = (...of: Parameters<typeof tenant>) => ({ ...tenant(...of), fingerprint: 'another' });

describe('what a saved plan approves of a tenant', () => {
  it('R8: is what it was made of, to the fingerprint, until this run has begun on it', () => {
    const approved = approvalOf(planned);
    expect(approvalFailure(planned, approved, false)).toBeNull();
    expect(approvalFailure(changed('t', addColumn('a')), approved, false)).toMatchObject({ code: 'PLAN_STALE' });
  });

  it('R8: is what is left of its statements from then on, of a family member by member', () => {
    const approved = approvalOf(planned);
    const left = (of: Change | TenantChange) => approvalFailure(changed('t', of), approved, true);
    expect(left(missingMembers(member('bolt')))).toBeNull();
    expect(left(missingMembers(member('bolt'), member('cafe')))).toMatchObject({ code: 'PLAN_STALE' });
    expect(left(addColumn('b'))).toMatchObject({ code: 'PLAN_STALE' });
    // It is not sent.
    expect(left(refusedRebuild)).toBeNull();
  });

  it('R8: is nothing for a tenant that it does not hold, one of the same name in another database too', () => {
    const approved = approvalOf(planned);
    for (const other of [tenant('u', addColumn('a')), { ...planned, database: 'other' }])
      for (const begun of [false, true])
        expect(approvalFailure(other, approved, begun)).toMatchObject({ code: 'PLAN_STALE' });
    expect(approvalFailure(tenant('u', addColumn('a')), null, false)).toBeNull();
  });
});

describe('a tenant that has lost a table since the plan of the run', () => {
  const makes = (table: string) =>
    change({ phase: 'base', action: 'create-table', table, object: table, reason: 'missing', steps: [] });

  it('is left alone, and one whose table the plan was to make is not', () => {
    const now = tenant('t', makes('items'), makes('shops'));
    expect(lossFailure(now, tenant('t', makes('items')))?.message).toContain('"shops" is gone');
    expect(lossFailure(now, now)).toBeNull();
  });

  it('is none that the plan was to make, or does not know', () => {
    const now = tenant('t', makes('items'));
    expect(lossFailure(now, { ...tenant('t'), isNew: true })).toBeNull();
    expect(lossFailure(now, null)).toBeNull();
  });
});
