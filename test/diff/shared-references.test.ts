import { describe, expect, it } from 'vitest';
import type { SharedKeyFault } from '../../src/catalog/fact-types.js';
import type { DiffContext } from '../../src/diff/context.js';
import { diffTenant } from '../../src/diff/diff-tenant.js';
import type { Question } from '../../src/diff/facts.js';
import type { ConstraintShape, TableReference, TableShape } from '../../src/shape/table-shape.js';
import { assertStatement } from '../../src/sql/guard.js';
import { showSql } from '../../src/sql/template.js';
import { column, contextWith, desiredColumn, desiredTable, OF_BASE, table } from '../support/diff-fixture.js';

const SHARED = { schema: 'Shared', table: 'countries' };

const onto = (references: TableReference): ConstraintShape & { kind: 'foreign-key' } => ({
  name: 'items_country',
  kind: 'foreign-key',
  validated: true,
  columns: ['country'],
  references,
  referencedColumns: ['code'],
  onUpdate: 'no action',
  onDelete: 'no action',
  match: 'simple',
  deferrable: 'no',
});

const DESIRED = desiredTable({
  columns: [desiredColumn('country', { type: 'text' })],
  constraints: [{ ...onto(SHARED), ...OF_BASE }],
});

/** What a tenant with such keys needs; null: it has no table. */
function needed(
  keys: readonly ConstraintShape[] | null,
  answers: Partial<Record<Question['kind'], unknown>> = {},
  fields: Partial<DiffContext> = {},
) {
  const tables = new Map<string, TableShape>(
    keys === null ? [] : [['items', table({ columns: [column('country')], constraints: keys })]],
  );
  const context = contextWith(answers, { tables: [DESIRED], actualTables: tables, ...fields });
  return diffTenant([], context).changes;
}

const sent = (...by: Parameters<typeof needed>) =>
  needed(...by).flatMap(({ steps }) => steps.map((one) => showSql(one.sql)));
const ADD =
  'ALTER TABLE :"schema".items ADD CONSTRAINT items_country FOREIGN KEY (country) REFERENCES "Shared".countries (code)';
const DROP = 'ALTER TABLE :"schema".items DROP CONSTRAINT items_country';

describe('a foreign key onto a table that all tenants share', () => {
  it('is written with its schema, in an empty table and in a new one', () => {
    expect(sent([])).toEqual([ADD]);
    expect(sent(null)).toEqual(['CREATE TABLE :"schema".items (country text)', ADD]);
  });

  it('is checked among rows without a strong lock, and its orphans are looked for in the shared table', () => {
    const [made] = needed([], { rows: 'some' });
    expect(made?.steps.map(({ sql }) => showSql(sql))).toEqual([
      `${ADD} NOT VALID`,
      'ALTER TABLE :"schema".items VALIDATE CONSTRAINT items_country',
    ]);
    expect(showSql(made?.steps[1]?.offenders?.count ?? { parts: [] })).toContain('FROM "Shared".countries AS p');
    expect(made?.steps[1]?.offenders?.reads).toBe('Shared');
  });

  it('passes the guard only where the files name the schema', async () => {
    const [step] = needed([])[0]?.steps ?? [];
    await expect(assertStatement(step?.sql ?? { parts: [] }, { schemas: ['Shared'] })).resolves.toBeUndefined();
    const other = { ...(step?.sql ?? { parts: [] }) };
    await expect(assertStatement(other, { schemas: [] })).rejects.toMatchObject({ code: 'STATEMENT_REFUSED' });
  });

  it.each([
    ['the tenant’s own table', { schema: null, table: 'countries' }],
    ['its own table whose name reads alike', { schema: null, table: '"Shared".countries' }],
    ['another schema’s', { schema: 'other', table: 'countries' }],
  ])('is another one than onto %s', (_, references) => {
    expect(sent([onto(references)])).toEqual([DROP, ADD]);
  });

  it('is there where it is, and takes another name for its own', () => {
    expect(needed([onto(SHARED)])).toEqual([]);
    expect(needed([{ ...onto(SHARED), name: 'old' }]).map(({ action }) => action)).toEqual(['rename-constraint']);
  });

  it('tells the lock of the shared table as a hazard, of what comes and of what goes', () => {
    const hazards = (...by: Parameters<typeof needed>) => needed(...by).map((made) => made.hazards);
    expect(hazards(null)).toEqual([[], ['SHARED_TABLE_LOCKED']]);
    expect(hazards([])).toEqual([['SHARED_TABLE_LOCKED']]);
    expect(hazards([{ ...onto(SHARED), name: 'trueup_0123456789abcdef' }, onto(SHARED)])).toEqual([
      ['SHARED_TABLE_LOCKED'],
    ]);
    const own = [desiredTable({ ...DESIRED, constraints: [] })];
    expect(hazards([{ ...onto(SHARED), validated: false }], { rows: 'some' })).toEqual([['TABLE_SCAN']]);
    expect(hazards([onto(SHARED)], {}, { tables: own })).toEqual([]);
  });

  it('has its table locked by a change of its column’s type, in place or by a new column, which is told as a hazard', () => {
    const wanted = (type: string) => [{ ...DESIRED, columns: [desiredColumn('country', { type })] }];
    const actual = (type: string, key: TableReference) => ({
      tables: wanted(type === 'integer' ? 'text' : 'varchar(20)'),
      actualTables: new Map([['items', table({ columns: [column('country', { type })], constraints: [onto(key)] })]]),
    });
    const locked = (...by: Parameters<typeof actual>) =>
      diffTenant([], contextWith({ rows: 'none' }, actual(...by))).changes.map(
        ({ action, hazards, steps }) => [action, hazards, steps[0]?.lock.beside ?? null] as const,
      )[0];
    expect(locked('character varying(10)', SHARED)).toEqual(['alter-column', ['SHARED_TABLE_LOCKED'], SHARED]);
    expect(locked('integer', SHARED)).toEqual(['replace-column', ['COLUMN_DROPPED', 'SHARED_TABLE_LOCKED'], SHARED]);
    expect(locked('character varying(10)', { schema: null, table: 'countries' })).toEqual(['alter-column', [], null]);
  });

  it('is refused where the shared table has no such key, and nothing is asked where it is there', () => {
    const fault: SharedKeyFault = { kind: 'no-table' };
    const asked: Question[] = [];
    const answers = (question: Question) => {
      asked.push(question);
      return fault;
    };
    expect(needed([onto(SHARED)], { 'shared-key': answers })).toEqual([]);
    expect(asked).toEqual([]);
    expect(needed([], { 'shared-key': answers }).map(({ status, obstacle }) => [status, obstacle])).toEqual([
      ['blocked', 'there is no table "Shared".countries'],
    ]);
    expect(asked).toContainEqual({
      kind: 'shared-key',
      ...SHARED,
      columns: ['code'],
      types: ['text'],
      logged: true,
    });
  });
});

describe('in the tenant of that very schema', () => {
  const home = { home: 'Shared' };

  it('it is the tenant’s own table', () => {
    expect(needed([onto({ schema: null, table: 'countries' })], {}, home)).toEqual([]);
    expect(sent([onto({ schema: 'other', table: 'countries' })], {}, home)).toEqual([DROP, ADD]);
  });

  it('waits for what the files declare there, and is refused for what is neither declared nor there', () => {
    const missing = { 'shared-key': { kind: 'no-table' } };
    const countries = desiredTable({ name: 'countries' });
    const statuses = (tables: DiffContext['tables']) =>
      needed(null, missing, { ...home, tables }).flatMap(({ action, status, needs }) =>
        action === 'add-constraint' ? [[status, needs.includes('table:countries')]] : [],
      );
    expect(statuses([DESIRED, countries])).toEqual([['pending', true]]);
    expect(statuses([DESIRED])).toEqual([['blocked', true]]);
  });
});
