import { describe, expect, it } from 'vitest';
import type { DesiredTable } from '../../src/desired-state/model.js';
import { predecessorName } from '../../src/diff/constraint-steps.js';
import { diffTenant } from '../../src/diff/diff-tenant.js';
import { settle } from '../../src/diff/settle.js';
import { inOrder } from '../../src/plan/order.js';
import type { ConstraintShape, TableShape } from '../../src/shape/table-shape.js';
import { showSql } from '../../src/sql/template.js';
import {
  column,
  contextWith,
  desiredColumn,
  desiredIndex,
  desiredTable,
  index,
  OF_BASE,
  table,
  uniqueKey,
} from '../support/diff-fixture.js';

const primaryKey = (name: string, columns: readonly string[]) => uniqueKey(name, columns, { kind: 'primary-key' });

const reference = (name: string, to: string, columns: readonly string[]): ConstraintShape => ({
  name,
  kind: 'foreign-key',
  validated: true,
  columns,
  references: { schema: null, table: to },
  referencedColumns: columns,
  onUpdate: 'no action',
  onDelete: 'no action',
  match: 'simple',
  deferrable: 'no',
});

/** `action object status` of what the table needs. */
function neededFor(
  desired: Partial<DesiredTable>,
  actual: Partial<TableShape>,
  answers: Parameters<typeof contextWith>[0] = {},
) {
  const actualTables = new Map([['items', table(actual)]]);
  const context = contextWith(answers, { tables: [desiredTable(desired)], actualTables });
  const { changes } = diffTenant([], context);
  return changes.map((made) => `${made.action} ${made.object} ${made.status}`);
}

describe('a constraint that is missing', () => {
  it('is made, not taken from a declared one that is like it', () => {
    const constraints = [uniqueKey('a', ['code']), uniqueKey('b', ['code'])];
    expect(neededFor({ constraints }, { constraints: [uniqueKey('a', ['code'])] })).toEqual([
      'add-constraint b pending',
    ]);
  });

  it('gets one that is like it and that nothing declares, which serves one declaration only', () => {
    const constraints = [uniqueKey('a', ['code']), uniqueKey('b', ['code'])];
    expect(neededFor({ constraints }, { constraints: [uniqueKey('old', ['code'])] })).toEqual([
      'rename-constraint a pending',
      'add-constraint b pending',
    ]);
  });
});

describe('the name of an index that a key has', () => {
  const indexes = [desiredIndex('items_code', ['code'])];

  it('is free where the key is the declared one under another name', () => {
    const constraints = [uniqueKey('items_key', ['code'])];
    expect(neededFor({ constraints, indexes }, { constraints: [uniqueKey('items_code', ['code'])] })).toEqual([
      'rename-constraint items_key pending',
      'create-index items_code pending',
    ]);
  });

  it('is free where the key goes for the declared primary key', () => {
    const constraints = [primaryKey('items_pkey', ['id'])];
    expect(neededFor({ constraints, indexes }, { constraints: [primaryKey('items_code', ['code'])] })).toEqual([
      'replace-constraint items_pkey pending',
      'create-index items_code pending',
    ]);
  });

  it('is made free where nothing declares the key', () => {
    expect(neededFor({ indexes }, { constraints: [uniqueKey('items_code', ['id'])] })).toEqual([
      'rebuild-index items_code pending',
    ]);
  });

  it('is not where it is the key’s that the table is replicated by, even with the index built under another name', () => {
    const constraints = [uniqueKey('items_code', ['id'], { replicaIdentity: true })];
    expect(neededFor({ indexes }, { constraints })).toEqual(['rebuild-index items_code blocked']);
    const built = [index('trueup_0123456789abcdef', ['code'])];
    expect(neededFor({ indexes }, { constraints, indexes: built })).toEqual(['rebuild-index items_code blocked']);
  });
});

it('an index that makes room for a renamed key is not renamed besides', () => {
  const desired = {
    constraints: [uniqueKey('items_key', ['code'])],
    indexes: [desiredIndex('items_shop', ['shop'])],
  };
  const actual = { constraints: [uniqueKey('other', ['code'])], indexes: [index('items_key', ['shop'])] };
  expect(neededFor(desired, actual)).toEqual([
    'rename-constraint items_key pending',
    'create-index items_shop pending',
  ]);
});

describe('a key that is another one', () => {
  const wanted = { constraints: [uniqueKey('items_key', ['shop', 'code'], { include: ['note'] })] };
  const actual = { constraints: [uniqueKey('items_key', ['shop', 'code'])] };
  const withReference = (index: string) => ({
    references: [{ foreignKey: 'foreign key sales_item of table sales', index }],
  });

  it('stays where a foreign key rests on it', () => {
    expect(neededFor(wanted, actual, withReference('items_key'))).toEqual(['replace-constraint items_key blocked']);
  });

  it('goes where a foreign key onto its columns rests on another one', () => {
    expect(neededFor(wanted, actual, withReference('items_other'))).toEqual(['replace-constraint items_key pending']);
  });
});

describe('a table’s one primary key', () => {
  const steps = (desired: Partial<DesiredTable>, actual: Partial<TableShape>, answers = {}) => {
    const actualTables = new Map([['items', table(actual)]]);
    const { changes } = diffTenant([], contextWith(answers, { tables: [desiredTable(desired)], actualTables }));
    const items = changes.map((made) => ({ change: made, members: null }));
    return inOrder(settle(items, ['items']), ['items']).map(
      ({ change: made }) =>
        `${made.object} ${made.status}: ${made.steps.map((step) => showSql(step.sql).replace(/^ALTER TABLE \S+ /u, '')).join('; ')}`,
    );
  };
  const swapped = { constraints: [primaryKey('b', ['id']), uniqueKey('a', ['code'])] };

  it('is made when the one before it is none any more, where two keys exchange their names', () => {
    expect(steps(swapped, { constraints: [primaryKey('a', ['id']), uniqueKey('b', ['code'])] })).toEqual([
      'a pending: DROP CONSTRAINT a; ADD CONSTRAINT a UNIQUE (code)',
      'b pending: DROP CONSTRAINT b; ADD CONSTRAINT b PRIMARY KEY (id)',
    ]);
    expect(steps(swapped, { constraints: [primaryKey('a', ['id'])] })).toEqual([
      'a pending: DROP CONSTRAINT a; ADD CONSTRAINT a UNIQUE (code)',
      'b pending: ADD CONSTRAINT b PRIMARY KEY (id)',
    ]);
  });

  it('waits for that where it is refused', () => {
    const resting = [{ foreignKey: 'foreign key lines_fkey of table lines', index: 'a' }];
    const references = ({ column }: { readonly column: string }) => (column === 'id' ? resting : []);
    const standing = { constraints: [primaryKey('a', ['id']), uniqueKey('b', ['code'])] };
    const ends = steps(swapped, standing, { references }).map((made) => made.replace(/:.*/u, ''));
    expect(ends.sort()).toEqual(['a blocked', 'b blocked']);
  });

  it('takes the place of one that nothing declares, and of another constraint of its name, in one step', () => {
    expect(
      steps(
        { constraints: [primaryKey('b', ['id'])] },
        { constraints: [primaryKey('old', ['id']), uniqueKey('b', ['code'])] },
      ),
    ).toEqual(['b pending: DROP CONSTRAINT b; DROP CONSTRAINT old; ADD CONSTRAINT b PRIMARY KEY (id)']);
  });

  it('is not dropped once more where it goes with its column', () => {
    const generated = { expression: 'lower(code)', kind: 'stored' } as const;
    const columns = ({ expression }: { readonly expression: string }) => (expression.includes('code') ? ['code'] : []);
    expect(
      steps(
        { columns: [desiredColumn('id', { generated })], constraints: [primaryKey('b', ['id'])] },
        { columns: [column('id')], constraints: [primaryKey('old', ['id'])] },
        { columns },
      ).at(-1),
    ).toBe('b pending: ADD CONSTRAINT b PRIMARY KEY (id)');
  });
});

describe('a table that is declared unlogged, and is logged', () => {
  const logged = (name: string) => table({ name });
  const unlogged = (name: string) => desiredTable({ name, persistence: 'unlogged' });
  /** What keeps each of them logged: foreign keys of the others. */
  const needed = (ties: Readonly<Record<string, readonly string[]>>, ...more: readonly DesiredTable[]) => {
    const tables = [unlogged('items'), unlogged('sales'), unlogged('shops'), ...more];
    const actualTables = new Map(tables.map(({ name }) => [name, logged(name)]));
    const persistence = (asked: { readonly table: string }) =>
      (ties[asked.table] ?? []).map((other) => ({ what: `foreign key of ${other}`, other }));
    const context = contextWith({ persistence }, { tables, actualTables });
    const { changes } = diffTenant([], context);
    return settle(
      changes.map((made) => ({ change: made })),
      [],
    ).map(({ change: made }) => [made.object, made.status, made.needs]);
  };

  it('waits for the declared tables that reference it: a logged one may reference logged ones only', () => {
    expect(needed({ items: ['sales'], shops: ['items'] })).toEqual([
      ['items', 'pending', ['persistence:sales']],
      ['sales', 'pending', []],
      ['shops', 'pending', ['persistence:items']],
    ]);
  });

  it('stays so where a table that stays logged references it, and so does what it references', () => {
    const statuses = (...by: Parameters<typeof needed>) => needed(...by).map(([, status]) => status);
    expect(statuses({ items: ['mine'], shops: ['items'] })).toEqual(['blocked', 'pending', 'blocked']);
    const carts = desiredTable({ name: 'carts' });
    expect(statuses({ items: ['carts'] }, carts)).toEqual(['blocked', 'pending', 'pending']);
  });
});

describe('a check that takes the place of a foreign key of its name, among rows', () => {
  const check = { name: 'items_shop', kind: 'check', expression: 'shop > 0', noInherit: false } as const;
  /** Each step that drops a constraint, and the table that it locks beside its own. */
  const drops = (constraints: readonly ConstraintShape[]) => {
    const of = { constraints: [{ ...check, ...OF_BASE, validated: true }] };
    const actualTables = new Map([['items', table({ constraints })]]);
    const context = contextWith({ rows: 'some' }, { tables: [desiredTable(of)], actualTables });
    const { changes } = diffTenant([], context);
    return changes.flatMap(({ steps }) =>
      steps.flatMap(({ sql, lock }) => {
        const [, name] = /DROP CONSTRAINT (\S+)/u.exec(showSql(sql)) ?? [];
        return name === undefined ? [] : [`${name.replace(/_.*/u, '')} beside ${lock.beside?.table}`];
      }),
    );
  };

  it('says that the last drop locks the table that the key is onto', () => {
    expect(drops([reference('items_shop', 'shops', ['shop'])])).toEqual(['trueup beside shops']);
  });

  it('says so where an interrupted run goes on', () => {
    const unchecked = { ...check, validated: false };
    const [wanted] = desiredTable({ constraints: [{ ...check, ...OF_BASE, validated: true }] }).constraints;
    const old = wanted === undefined ? '' : predecessorName('items', wanted);
    expect(drops([unchecked, reference(old, 'shops', ['shop'])])).toEqual(['trueup beside shops']);
  });

  it('names no other table where the other one is a check, too', () => {
    expect(drops([{ ...check, expression: 'shop > 1', validated: true }])).toEqual(['trueup beside undefined']);
  });
});
