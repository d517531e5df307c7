import { describe, expect, it } from 'vitest';
import { assemble } from '../../src/plan/plan-fleet.js';
import { tenantList } from '../../src/report/tenant-list.js';
import {
  addColumn,
  databasePlan,
  dropIndex,
  fleetPlan,
  member,
  missingMembers,
  refusedRebuild,
  tenant,
  tenants,
  waitingIndex,
} from '../support/plan-fixture.js';

describe('the list of tenants', () => {
  it('says of every tenant what it is, and in which class', () => {
    const plan = fleetPlan({
      tenants: [
        ...tenants(2, dropIndex('items_body'), missingMembers(member('acme'))),
        tenant('quiet'),
        tenant('stuck', refusedRebuild),
        tenant('waits', waitingIndex),
      ],
    });
    const [pending, ...others] = plan.classes.map((group) => group.id);
    const id = (schema: string) => plan.classes.find((group) => group.tenants.some((one) => one.schema === schema))?.id;
    expect(others).not.toContain(pending);
    expect(tenantList(plan).split('\n')).toEqual([
      'database,schema,state,class,changes',
      'main,quiet,in-sync,,',
      `main,stuck,blocked,${id('stuck')},rebuild-index items.items_title (blocked)`,
      `main,t1,pending,${pending},drop-index items.items_body; create-index items.items_body_\${kind.code}_\${shop.short}`,
      `main,t2,pending,${pending},drop-index items.items_body; create-index items.items_body_\${kind.code}_\${shop.short}`,
      `main,waits,deferred,${id('waits')},create-index items.items_auto (deferred)`,
      '',
    ]);
  });

  it('names those that could not be read too, by database and schema', () => {
    const of = (id: string, schemas: readonly string[], shut: readonly string[]) =>
      databasePlan({
        id,
        tenants: schemas.map((schema) => ({ ...tenant(schema), database: id })),
        unreadable: shut.map((schema) => ({
          database: id,
          schema,
          code: 'TENANT_UNREADABLE' as const,
          message: 'permission denied',
        })),
      });
    const plan = assemble([of('us', ['b', 'a'], []), of('eu', ['z'], ['m'])]);
    expect(tenantList(plan).split('\n').slice(1)).toEqual([
      'eu,m,unreadable,,',
      'eu,z,in-sync,,',
      'us,a,in-sync,,',
      'us,b,in-sync,,',
      '',
    ]);
  });

  it('S2, S5: holds no value of a row, and no name that breaks out of its cell or computes', () => {
    const plan = fleetPlan({
      tenants: [tenant('a",b\nc', addColumn('kind')), tenant('=1+1', missingMembers(member('acme')))],
    });
    const list = tenantList(plan);
    expect(list).toContain('main,"a"",b\nc",pending');
    expect(list).toContain("main,'=1+1,pending");
    expect(list).not.toContain('acme');
  });
});
