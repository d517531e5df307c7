import { describe, expect, it } from 'vitest';
import { blocked, type Change, key, type TenantChange } from '../../src/diff/change.js';
import { inOrder } from '../../src/plan/order.js';
import { sql } from '../../src/sql/template.js';
import { addColumn, backfill, dropIndex } from '../support/plan-fixture.js';

/** Made in a transaction. */
const short = (object: string, fields: Partial<Change> = {}): Change => addColumn(object, fields);
/** Made outside of any. */
const online = (object: string, fields: Partial<Change> = {}): Change => ({ ...dropIndex(object), ...fields });
const item = (change: Change): TenantChange => ({ change, members: null });
const ordered = (changes: readonly (Change | TenantChange)[], allTables: readonly string[] = []) =>
  inOrder(
    changes.map((one) => ('change' in one ? one : item(one))),
    allTables,
  ).map(({ change }) => change.object);

describe('the order of a tenant’s changes', () => {
  it('makes what is needed before what needs it', () => {
    const needing = online('index', { needs: ['column:a'] });
    expect(ordered([needing, short('key', { needs: ['index:b'] }), short('a', { provides: ['column:a'] })])).toEqual([
      'key',
      'a',
      'index',
    ]);
  });

  it('makes each of a chain after the one before it, in whatever order they are found', () => {
    const last = short('last', { needs: ['b'] });
    const middle = short('middle', { provides: ['b'], needs: ['a'] });
    expect(ordered([last, middle, short('first', { provides: ['a'] })])).toEqual(['first', 'middle', 'last']);
  });

  it('keeps together what fits into a transaction, and otherwise the order of the files', () => {
    expect(ordered([online('x'), short('a'), online('y'), short('b')])).toEqual(['a', 'b', 'x', 'y']);
    // A part of it in a transaction is not all of it.
    expect(ordered([backfill('filled'), short('a')])).toEqual(['a', 'filled']);
  });

  it('locks tables that all tenants share last, and in the same order in every tenant', () => {
    const onto = (object: string, table: string, schema: string | null = 'shared') =>
      short(object, {
        steps: [
          {
            sql: sql`SELECT 1`,
            mode: 'transaction',
            lock: { mode: 'SHARE ROW EXCLUSIVE', table: 'items', beside: { schema, table } },
          },
        ],
      });
    expect(
      ordered([onto('b', 'plans'), onto('own', 'shops', null), onto('a', 'countries'), online('x'), short('c')]),
    ).toEqual(['own', 'c', 'a', 'b', 'x']);
  });

  it('waits for every change that provides a thing, one after another', () => {
    const built = { provides: ['built'] };
    expect(ordered([short('drop', { needs: ['built'] }), online('x', built), online('y', built)])).toEqual([
      'x',
      'y',
      'drop',
    ]);
  });

  it('does not wait for what a change provides itself, and does for what others provide as well', () => {
    const own = short('own', { provides: ['table:t'], needs: ['table:t'] });
    expect(ordered([own, short('after', { needs: ['table:t'] })])).toEqual(['own', 'after']);
    expect(ordered([own, short('other', { provides: ['table:t'] })])).toEqual(['other', 'own']);
  });

  it('makes a view after every table of the tenant', () => {
    const view = short('view', { needs: [key.allTables] });
    const table = (name: string) => short(name, { provides: [key.table(name)] });
    expect(ordered([view, table('a'), table('b')], [key.table('a'), key.table('b')])).toEqual(['a', 'b', 'view']);
  });

  it('makes a name free before it is taken, of a family’s members too', () => {
    const takes = [{ name: 'n', of: 'index' as const }];
    expect(ordered([short('taker', { takes }), online('drop', { frees: ['n'] })])).toEqual(['drop', 'taker']);
    const index = { variable: 'index', as: 'identifier' } as const;
    const family = { change: online('orphans', { frees: [index] }), members: [{ index: 'm' }, { index: 'n' }] };
    expect(ordered([short('taker', { takes }), family])).toEqual(['orphans', 'taker']);
  });

  it('waits for no name that a refused change would have made free', () => {
    const refused = blocked(online('drop', { frees: ['n'] }), 'no', 'no');
    expect(ordered([short('taker', { takes: [{ name: 'n', of: 'index' }] }), refused])).toEqual(['taker', 'drop']);
  });

  it('has every change once where some wait for one another', () => {
    const ring = [
      short('a', { provides: ['a'], needs: ['b'] }),
      short('b', { provides: ['b'], needs: ['a'] }),
      short('c', { needs: ['a'] }),
    ];
    expect(ordered(ring)).toEqual(['a', 'b', 'c']);
  });
});
