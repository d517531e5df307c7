import { Ansis } from 'ansis';
import { describe, expect, it } from 'vitest';
import { blocked, change, key } from '../../src/diff/change.js';
import { settle } from '../../src/diff/settle.js';
import * as library from '../../src/index.js';
import type { FleetPlan } from '../../src/plan/fleet-plan.js';
import { assemble } from '../../src/plan/plan-fleet.js';
import { type PlanTextOptions, planText } from '../../src/report/plan-text.js';
import { sql } from '../../src/sql/template.js';
import {
  addColumn,
  backfill,
  databasePlan,
  dropIndex,
  fleetPlan,
  member,
  missingMembers,
  phase,
  refusedRebuild,
  tenant,
  tenants,
  waitingIndex,
} from '../support/plan-fixture.js';

const text = (plan: FleetPlan, options: Partial<PlanTextOptions> = {}): string =>
  planText(plan, { verbose: false, showValues: false, color: new Ansis(0), width: 120, ...options });

const inSync = (count: number) => Array.from({ length: count }, (_, at) => tenant(`s${at}`));

describe('a plan as text', () => {
  it('can be had from the library without a palette of one’s own', () => {
    const plan = fleetPlan({ tenants: [tenant('a', addColumn('note'))] });
    const options = { verbose: true, showValues: false, color: library.NO_COLOR, width: 120 };
    expect(library.planText(plan, options)).toBe(text(plan, { verbose: true }));
  });

  it('has what is blocked in red, and what waits in another colour', () => {
    const shown = text(fleetPlan({ tenants: [tenant('a', refusedRebuild, waitingIndex)] }), { color: new Ansis(1) });
    expect(shown).toContain('\u001b[31m      blocked: ');
    expect(shown).toContain('\u001b[36m      deferred: ');
  });

  it('says once what one change is refused for and others wait for', () => {
    const made = { phase: 'base', table: 'items', reason: 'missing', steps: [] } as const;
    const table = change({ ...made, action: 'create-table', object: 'items', provides: [key.table('items')] });
    const index = change({ ...made, action: 'create-index', object: 'items_body', needs: [key.table('items')] });
    const refused = blocked(table, 'there is no type "state"', 'make it');
    const settled = settle(
      [refused, index].map((one) => ({ change: one, members: null })),
      ['items'],
    );
    const shown = text(fleetPlan({ tenants: [tenant('a', ...settled)] }));
    expect(shown.match(/there is no type|do: make it/gu)).toHaveLength(2);
    expect(shown).toContain('blocked: waits for create-table items\n');
    expect(settled[1]?.change.obstacle).toContain('there is no type "state"');
  });

  it('reads in seconds for 10,000 tenants', () => {
    const plan = fleetPlan({
      tenants: [
        ...inSync(9_988),
        ...tenants(10, dropIndex('items_body'), missingMembers(member('acme'), member('acme', 'u'))),
        tenant('a', backfill('kind'), refusedRebuild, waitingIndex),
        tenant('b', backfill('kind'), refusedRebuild, waitingIndex),
      ],
    });
    expect(text(plan)).toMatchInlineSnapshot(`
      "Target: postgresql 17.2 at db.example:5432, database app, role deploy (from --database-url)
      Backends: search plain (default)

      9,988 tenants in sync.

      10 tenants need: (t1, t2, t3 and 7 more)
        - search  drop-index    items.items_body — owned by phase search, absent from the desired state
            hazard: drops an index; the dropped index has served queries
        + search  create-index  items, index family items_body_\${kind.code}_\${shop.short}: 20 members — missing
            hazard: builds an index on a table that holds rows

      2 tenants need: (a, b)
        + base    add-column     items.kind — missing
            hazard: updates the existing rows, in batches
        ~ search  rebuild-index  items.items_title — its operator class is title_l2, declared title_cosine
            hazard: drops an index; builds an index on a table that holds rows
            blocked: items holds rows, and replacing its indexes takes time and load
            do: approve it with --allow rebuild-index
        + search  create-index   items.items_auto — missing
            deferred: needs 10000 rows to be built, has 12
            do: nothing to do: it is built when the rows are there

      Plan: 12 tenants to change (2 classes), 2 blocked, 2 deferred, 9,988 in sync."
    `);
  });

  it('has thousands of changes that differ in a name alone as one, unless verbose, and the others beside it', () => {
    const stray = Array.from({ length: 6_000 }, (_, at) => ({
      change: dropIndex(`stray_${at + 1}`),
      members: null,
      usage: { scans: 1, bytes: 1_000 },
    }));
    const plan = fleetPlan({ tenants: [tenant('t1', addColumn('a'), ...stray, addColumn('b'), waitingIndex)] });
    expect(text(plan).split('\n').slice(3, -2)).toEqual([
      '1 tenant needs: (t1)',
      '  + base    add-column    items.a — missing',
      '  - search  drop-index    items.stray_1, stray_2, stray_3 and 5,997 more — owned by phase search, absent from the',
      '      desired state',
      '      hazard: drops an index; the dropped index has served queries',
      '      served 6,000 scans since the statistics were reset; 5.7 MB',
      '  + base    add-column    items.b — missing',
      '  + search  create-index  items.items_auto — missing',
      '      deferred: needs 10000 rows to be built, has 12',
      '      do: nothing to do: it is built when the rows are there',
    ]);
    expect(text(plan, { verbose: true })).toContain('items.stray_6000 — owned');
  });

  it('has twenty that are alike one by one, and no two that differ in more than a name as one', () => {
    const columns = (count: number, reason: string) =>
      Array.from({ length: count }, (_, at) => addColumn(`${reason}_${at}`, { reason }));
    const shown = text(fleetPlan({ tenants: [tenant('t1', ...columns(20, 'x'), ...columns(20, 'y'))] }));
    expect(shown.match(/add-column/gu)).toHaveLength(40);
  });

  it('breaks its lines at the width of the terminal', () => {
    const plan = fleetPlan({
      tenants: [tenant('t1', dropIndex('items_body'), missingMembers(member('acme'))), tenant('t2', refusedRebuild)],
    });
    const shown = text(plan, { width: 80 });
    expect(shown).toMatchInlineSnapshot(`
      "Target: postgresql 17.2 at db.example:5432, database app, role deploy (from
        --database-url)
      Backends: search plain (default)

      1 tenant needs: (t1)
        - search  drop-index    items.items_body — owned by phase search, absent from
            the desired state
            hazard: drops an index; the dropped index has served queries
        + search  create-index  items, index family
            items_body_\${kind.code}_\${shop.short}: 1 member — missing
            hazard: builds an index on a table that holds rows

      1 tenant is blocked: (t2)
        ~ search  rebuild-index  items.items_title — its operator class is title_l2,
            declared title_cosine
            hazard: drops an index; builds an index on a table that holds rows
            blocked: items holds rows, and replacing its indexes takes time and load
            do: approve it with --allow rebuild-index

      Plan: 1 tenant to change (1 class), 1 blocked, 0 deferred, 0 in sync."
    `);
    expect(Math.max(...shown.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('says how far the verdict reaches when phases were left out (G4)', () => {
    const phases = [phase('base'), phase('vector', { selected: false }), phase('text-search', { selected: false })];
    const plan = fleetPlan({ tenants: inSync(10_000) }, { phases });
    expect(text(plan).split('\n').at(-1)).toBe(
      'No changes. 10,000 tenants in sync (base; vector and text-search not checked).',
    );
  });

  it('counts tenants with only deferred changes as in sync', () => {
    const plan = fleetPlan({ tenants: [...inSync(1), tenant('t1', waitingIndex)] });
    expect(text(plan)).toContain('1 tenant is in sync, with changes deferred: (t1)');
    expect(text(plan)).toContain('No changes. 2 tenants in sync, 1 of them with changes deferred.');
  });

  it('does not say that there are no changes where tenants could not be read', () => {
    const shut = { database: 'main', schema: 'shut', code: 'TENANT_UNREADABLE', message: 'permission denied' } as const;
    expect(
      text(fleetPlan({ tenants: inSync(2), unreadable: [shut] }))
        .split('\n')
        .at(-1),
    ).toBe('Nothing can be changed yet. 2 tenants in sync, 1 not readable.');
  });

  it('hides the values of rows in members’ names unless they are asked for (S2)', () => {
    const plan = fleetPlan({ tenants: [tenant('t1', missingMembers(member('acme'), member('acme', 'u')))] });
    expect(text(plan, { verbose: true })).toContain('t1: items_body_n_…, items_body_u_…');
    expect(text(plan, { verbose: true })).not.toContain('acme');
    expect(text(plan, { verbose: true, showValues: true })).toContain('t1: items_body_n_acme, items_body_u_acme');
  });

  it('shows locks, statements and what is unmanaged when verbose (C11)', () => {
    const unmanaged = { tables: 2, columns: 1, indexes: 0 };
    const shown = text(fleetPlan({ tenants: tenants(6, addColumn('kind')), unmanaged }), { verbose: true });
    expect(shown).toContain('6 tenants need: (t1, t2, t3, t4, t5, t6)');
    expect(shown).toContain('      lock: ACCESS EXCLUSIVE\n      ALTER TABLE :"schema".items ADD COLUMN kind text;');
    expect(shown).toContain('Unmanaged, left alone: 2 tables, 1 column, 0 indexes.');
  });

  it('shows tenants that could not be read, extensions to make, and few of many warnings alike', () => {
    const extension = change({
      phase: 'search',
      action: 'create-extension',
      table: '',
      object: 'fancy',
      reason: 'declared, available on the server, not installed',
      steps: [{ sql: sql`CREATE EXTENSION fancy`, mode: 'transaction', lock: { mode: 'NONE', table: null } }],
    });
    const plan = fleetPlan({
      databaseChanges: [extension],
      unreadable: [
        { database: 'main', schema: 't9', code: 'TENANT_UNREADABLE', message: 'permission denied for table shops' },
      ],
      diagnostics: Array.from({ length: 7 }, (_, at) => ({
        severity: 'warning',
        code: 'LOOKS_LIKE_A_TENANT',
        message: `schema "d${at}" has items but not shops`,
        remedy: 'name it',
        database: 'main',
        schema: `d${at}`,
      })),
    });
    const shown = text(plan);
    expect(shown).toContain('Once, in database app:\n  + search  create-extension  fancy — declared');
    expect(shown).toContain(
      'Not readable: tenant t9: permission denied for table shops\n  do: let the role read the tenant’s tables (row security included), then run again\n',
    );
    expect(shown).toContain('… and 2 more of this kind: --verbose or --json shows all.');
    const [database = databasePlan()] = plan.databases;
    const five = assemble([{ ...database, diagnostics: database.diagnostics.slice(0, 5) }]);
    expect(text(five)).not.toContain('more of this kind');
    expect(shown).toContain(
      'Plan: 1 change once, 0 tenants to change, 0 blocked, 0 deferred, 1 not readable, 0 in sync.',
    );
  });

  it('names the database of what is said of a tenant, or of all, where there are several', () => {
    const part = (id: string) =>
      databasePlan({
        id,
        tenants: [{ ...tenant('t', missingMembers(member('acme'))), database: id }],
        unreadable: [{ database: id, schema: 'u', code: 'TENANT_UNREADABLE', message: 'permission denied' }],
        diagnostics: [
          { severity: 'note', code: 'EXTENSION_ELSEWHERE', message: 'so', remedy: null, database: id, schema: null },
        ],
      });
    const shown = text(assemble([part('eu'), part('us')]), { verbose: true });
    expect(shown).toContain('2 tenants need: (eu/t, us/t)');
    for (const id of ['eu', 'us']) {
      expect(shown).toContain(`\n      ${id}/t: items_body_n_…`);
      expect(shown).toContain(`Not readable: tenant ${id}/u: permission denied`);
      expect(shown).toContain(`Note: database ${id}: so`);
    }
  });

  it('names the one database that is left, where the other could not be planned', () => {
    const failed = { database: 'us', code: 'CONNECTION_FAILED', message: 'refused', remedy: null } as const;
    const left = (schemas: readonly string[]) =>
      databasePlan({
        id: 'eu',
        tenants: schemas.map((schema) => ({ ...tenant(schema, addColumn('a')), database: 'eu' })),
        diagnostics: [
          { severity: 'note', code: 'EXTENSION_ELSEWHERE', message: 'so', remedy: null, database: 'eu', schema: null },
        ],
        unmanaged: { tables: 1, columns: 0, indexes: 0 },
      });
    const shown = text(assemble([left(['t'])], undefined, [failed]), { verbose: true });
    for (const line of [
      '1 tenant needs: (eu/t)',
      'Note: database eu: so',
      'Unmanaged in database eu, left alone: 1 table, 0 columns, 0 indexes.',
    ])
      expect(shown).toContain(line);
    // What the other holds, nobody knows; and the last line is often all that is read.
    const last = (lines: string) => lines.split('\n').at(-1);
    expect(last(shown)).toBe(
      'Plan: 1 tenant to change (1 class), 0 blocked, 0 deferred, 1 database not planned, 0 in sync.',
    );
    expect(last(text(assemble([left([])], undefined, [failed])))).toBe(
      'Nothing can be changed yet. No tenant found, 1 database not planned.',
    );
  });

  it('lets no name steer the terminal or forge a line (S5)', () => {
    const hostile = 't\n\u001b[2JPlan: 0 tenants\u202e';
    const shown = text(fleetPlan({ tenants: [tenant(hostile, dropIndex('i\r\u0007'))] }), { verbose: true });
    expect(shown).toContain('(t\\x0a\\x1b[2JPlan: 0 tenants\\u202e)');
    expect(shown).toContain('items.i\\x0d\\x07');
    expect(shown).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
  });
});
