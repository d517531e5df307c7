import { describe, expect, it } from 'vitest';
import { assemble } from '../../src/plan/plan-fleet.js';
import { planSql } from '../../src/report/plan-sql.js';
import {
  addColumn,
  backfill,
  databasePlan,
  desiredState,
  dropIndex,
  fleetPlan,
  member,
  missingMembers,
  refusedRebuild,
  tenant,
} from '../support/plan-fixture.js';

const script = (...of: Parameters<typeof fleetPlan>): readonly string[] => [...planSql(fleetPlan(...of))];

const after = (lines: readonly string[], start: string): readonly string[] =>
  lines.slice(lines.findIndex((line) => line.startsWith(start)) + 1);

describe('a plan as a script for psql', () => {
  it('stops at errors and says whose plan it is', () => {
    const lines = script({});
    expect(lines[0]).toMatch(/^-- trueup sha256:[0-9a-f]{64}, made 2025-01-02T03:04:05\.000Z$/u);
    expect(lines).toContain('\\set ON_ERROR_STOP on');
    expect(lines).toContain('-- Database main: app at db.example:5432, planned as role deploy');
  });

  it('names what it has nothing of: a database that could not be planned', () => {
    const failed = { database: 'us', code: 'CONNECTION_FAILED', message: 'refused', remedy: 'start it' } as const;
    const lines = [...planSql(assemble([databasePlan()], undefined, [failed]))];
    expect(lines.slice(-3)).toEqual(['', '-- Database us was not planned: refused', '--   do: start it']);
  });

  it('puts neighbouring steps into one transaction and online steps outside of any', () => {
    const lines = script({ tenants: [tenant('t1', addColumn('a'), addColumn('b'), dropIndex('i'))] });
    expect(after(lines, '-- Tenant t1: 3 changes')).toEqual([
      '-- base: add-column items.a: missing',
      'BEGIN;',
      "SET LOCAL lock_timeout = '500ms';",
      'ALTER TABLE t1.items ADD COLUMN a text;',
      '-- base: add-column items.b: missing',
      'ALTER TABLE t1.items ADD COLUMN b text;',
      '-- search: drop-index items.i: owned by phase search, absent from the desired state',
      'COMMIT;',
      'SET lock_timeout = 0;',
      'DROP INDEX CONCURRENTLY t1.i;',
    ]);
  });

  it('expands every member, values quoted, with the phase’s settings for builds (G8)', () => {
    const lines = script({ tenants: [tenant('Tenant-A', missingMembers(member("o'br\\ien")))] });
    expect(after(lines, '-- search: create-index')).toEqual([
      'SET lock_timeout = 0;',
      "SET maintenance_work_mem = '1GB';",
      `CREATE INDEX CONCURRENTLY "items_body_n_o'br\\ien" ON "Tenant-A".items USING gin (body) WHERE kind = 'new' AND shop =  E'o''br\\\\ien';`,
      'RESET maintenance_work_mem;',
    ]);
  });

  it('repeats a backfill in transactions of its own', () => {
    const lines = script({ tenants: [tenant('t1', backfill('kind'))] });
    expect(lines.at(-1)).toMatch(
      /^DO '#variable_conflict use_column\n[\s\S]*\nFOR updated IN UPDATE t1\.items .* LOOP\n[\s\S]*END LOOP;\nCOMMIT;[\s\S]* END';$/u,
    );
    expect(lines.lastIndexOf('COMMIT;')).toBeLessThan(lines.length - 1);
  });

  it('checks again that a table is empty where a change relies on it', () => {
    const change = addColumn('kind', { assumptions: [{ kind: 'no-rows', table: 'items' }] });
    expect(after(script({ tenants: [tenant("t'1", change)] }), 'SET LOCAL').slice(0, 2)).toEqual([
      `LOCK TABLE "t'1".items IN SHARE MODE;`,
      `DO 'BEGIN IF (SELECT pg_catalog.pg_relation_size(c.oid) > 0 OR c.relhassubclass FROM pg_catalog.pg_class c WHERE c.oid = ''"t''''1".items''::pg_catalog.regclass) THEN IF EXISTS (SELECT FROM "t''1".items) THEN RAISE EXCEPTION USING ERRCODE = ''TU001'', MESSAGE = ''items was empty when the plan was made and holds data now'', HINT = ''plan again''; END IF; END IF; END';`,
    ]);
  });

  it('holds blocked changes as comments only (B4)', () => {
    expect(after(script({ tenants: [tenant('t1', refusedRebuild)] }), '-- Tenant t1')).toEqual([
      '-- blocked, not part of this script: search: rebuild-index items.items_title: its operator class is title_l2, declared title_cosine',
      '--   items holds rows, and replacing its indexes takes time and load',
      '--   do: approve it with --allow rebuild-index',
    ]);
  });

  it('lets no name out of a comment (S5)', () => {
    const lines = script({
      tenants: [tenant('t\n\\! touch x\r;DROP SCHEMA y;--', { ...refusedRebuild, object: 'a\n\\q' })],
    });
    for (const line of after(lines, 'SET statement_timeout')
      .join('\n')
      .split(/[\r\n]/u))
      expect(line).toMatch(/^(?:-- .*)?$/u);
  });

  it('goes to each of several databases', () => {
    const plan = fleetPlan({});
    const other = databasePlan({ id: 'other', name: "o'k", host: 'h', desired: desiredState() });
    expect([...planSql({ ...plan, databases: [...plan.databases, other] })]).toContain(
      "\\connect -reuse-previous=on 'dbname=\\'o\\\\\\'k\\' host=\\'h\\' port=5432'",
    );
  });
});
