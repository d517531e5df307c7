import { describe, expect, it } from 'vitest';
import type { Kin } from '../../src/catalog/fact-types.js';
import type { DesiredTable } from '../../src/desired-state/model.js';
import { unfilledName } from '../../src/diff/backfill.js';
import { type Change, change } from '../../src/diff/change.js';
import { diffTenant } from '../../src/diff/diff-tenant.js';
import { drop } from '../../src/diff/index-steps.js';
import { sparingMembers } from '../../src/diff/kin.js';
import type { ConstraintShape, TableShape } from '../../src/shape/table-shape.js';
import { identifierVariable } from '../../src/sql/template.js';
import {
  column,
  contextWith,
  desiredColumn,
  desiredIndex,
  desiredTable,
  IDENTITY,
  index,
  OF_BASE,
  table,
  uniqueKey,
} from '../support/diff-fixture.js';

const NO_KIN: Kin = {
  parents: [],
  isPartition: false,
  fixedIdentity: false,
  columns: [],
  notNulls: [],
  constraints: [],
  indexes: [],
  outside: [],
  heirs: [],
};

const check = (name: string, expression: string, noInherit = false): ConstraintShape & { readonly kind: 'check' } => ({
  name,
  kind: 'check',
  validated: true,
  expression,
  noInherit,
});

type Answers = NonNullable<Parameters<typeof contextWith>[0]>;

function changesFor(
  kin: Partial<Kin> | null,
  desired: Partial<DesiredTable>,
  actual: Partial<TableShape>,
  answers: Answers = { rows: 'some', values: 'none' },
): readonly Change[] {
  const actualTables = new Map([['items', table({ ...actual, ...(kin === null ? {} : { hasKin: true }) })]]);
  const context = contextWith(
    { ...answers, kin: kin && { ...NO_KIN, ...kin } },
    { tables: [desiredTable(desired)], actualTables },
  );
  return diffTenant([], context).changes;
}

/** `action object status` of what the table needs. */
const neededFor = (...by: Parameters<typeof changesFor>) =>
  changesFor(...by).map((made) => `${made.action} ${made.object} ${made.status}`);

const PARENT = { parents: ['whole'] };
const PARTITION = { ...PARENT, isPartition: true, columns: ['code'] };

describe('of what a table inherits', () => {
  const plain = { columns: [column('code')] };

  it('no column comes to a partition, and one comes to a table that inherits otherwise', () => {
    const wanted = { columns: [desiredColumn('code'), desiredColumn('more')] };
    expect(neededFor(PARTITION, wanted, plain)).toEqual(['add-column more blocked']);
    expect(neededFor({ ...PARENT, columns: ['code'] }, wanted, plain)).toEqual(['add-column more pending']);
  });

  it('no column has its type changed or goes, and one whose name begins alike does', () => {
    const wanted = { columns: [desiredColumn('code', { type: 'int' }), desiredColumn('codes', { type: 'int' })] };
    const actual = { columns: [column('code'), column('codes')] };
    expect(neededFor({ ...PARENT, columns: ['code'] }, wanted, actual)).toEqual([
      'replace-column code blocked',
      'replace-column codes pending',
    ]);
  });

  it('it is told even where rows refuse the change as well: what those ask for would gain nothing', () => {
    const obstacle = (kin: Partial<Kin>, wanted: DesiredTable['columns']) =>
      changesFor({ ...PARENT, ...kin }, { columns: wanted }, plain, { rows: 'some', values: 'some' })[0]?.obstacle;
    const comes = expect.stringContaining('comes from whole');
    expect(obstacle({ columns: ['code'] }, [desiredColumn('code', { type: 'int' })])).toEqual(comes);
    const more = [desiredColumn('code'), desiredColumn('more', { notNull: true })];
    expect(obstacle(PARTITION, more)).toEqual(comes);
    expect(obstacle({}, more)).toMatch(/^table items holds rows/u);
  });

  it('defaults and NOT NULL are a table’s own to set', () => {
    const wanted = { columns: [desiredColumn('code', { default: "'a'", notNull: true })] };
    expect(neededFor(PARTITION, wanted, plain)).toEqual(['alter-column code pending', 'alter-column code pending']);
  });

  it('NOT NULL stays where it is the parent’s', () => {
    const wanted = { columns: [desiredColumn('code')] };
    const actual = { columns: [column('code', { notNull: true })] };
    expect(neededFor(PARTITION, wanted, actual)).toEqual(['alter-column code pending']);
    expect(neededFor({ ...PARTITION, notNulls: ['code'] }, wanted, actual)).toEqual(['alter-column code blocked']);
  });

  it('a generated column stays generated, and an identity is as the parent’s where the server has it so', () => {
    const generated = { expression: '1', kind: 'stored' as const };
    expect(
      neededFor(PARTITION, { columns: [desiredColumn('code')] }, { columns: [column('code', { generated })] }),
    ).toEqual(['alter-column code blocked']);
    const identity = { columns: [desiredColumn('code', { identity: IDENTITY, notNull: true })] };
    const actual = { columns: [column('code', { notNull: true })] };
    expect(neededFor(PARTITION, identity, actual)).toEqual(['alter-column code pending']);
    expect(neededFor({ ...PARTITION, fixedIdentity: true }, identity, actual)).toEqual(['alter-column code blocked']);
  });

  it('a constraint is not replaced, and what stands beside it is', () => {
    const constraints = [
      { ...OF_BASE, ...check('theirs', 'code > 1') },
      { ...OF_BASE, ...check('own', 'code > 1') },
    ];
    const actual = { ...plain, constraints: [check('theirs', 'code > 0'), check('own', 'code > 0')] };
    const wanted = { columns: [desiredColumn('code')], constraints };
    expect(neededFor({ ...PARENT, constraints: ['theirs'] }, wanted, actual)).toEqual([
      'replace-constraint theirs blocked',
      'replace-constraint own pending',
    ]);
  });

  it('a check serves for no declared one, which is made, and a key gets the declared name', () => {
    const wanted = {
      columns: [desiredColumn('code')],
      constraints: [{ ...OF_BASE, ...check('own', 'code > 0') }, uniqueKey('own_key', ['code'])],
    };
    const actual = { ...plain, constraints: [check('theirs', 'code > 0'), uniqueKey('their_key', ['code'])] };
    expect(neededFor({ ...PARTITION, constraints: ['theirs', 'their_key'] }, wanted, actual)).toEqual([
      'add-constraint own pending',
      'rename-constraint own_key pending',
    ]);
  });

  it('an index is not rebuilt, and one of the table’s own is', () => {
    const indexes = [desiredIndex('theirs', ['code', 'code']), desiredIndex('own', ['code', 'code'])];
    const actual = { ...plain, indexes: [index('theirs', ['code']), index('own', ['code'])] };
    expect(
      neededFor({ ...PARTITION, indexes: ['theirs'] }, { columns: [desiredColumn('code')], indexes }, actual),
    ).toEqual(['rebuild-index theirs blocked', 'rebuild-index own pending']);
  });

  it('an index takes on options: the parent’s can have none', () => {
    const wanted = {
      columns: [desiredColumn('code')],
      indexes: [desiredIndex('theirs', ['code'], { options: { fillfactor: '70' } })],
    };
    const actual = { ...plain, indexes: [index('theirs', ['code'])] };
    expect(neededFor({ ...PARTITION, indexes: ['theirs'] }, wanted, actual)).toEqual(['alter-index theirs pending']);
  });

  it('what an interrupted run left in the parent is the parent’s to end', () => {
    const left = 'trueup_0123456789abcdef';
    const actual = { columns: [column(left)] };
    expect(neededFor({ ...PARENT, columns: [left] }, {}, actual)).toEqual([]);
    expect(neededFor(PARENT, {}, actual)).toEqual([`alter-table ${left} pending`]);
  });

  it('the parents are named, and how that ends', () => {
    const [made] = changesFor(PARTITION, { columns: [desiredColumn('code'), desiredColumn('more')] }, plain);
    expect(made).toMatchObject({
      obstacle:
        'the list of its columns comes from whole, which the table is a partition of: PostgreSQL changes it there alone',
      remedy:
        'change whole, which changes it here as well, or end that with ALTER TABLE whole DETACH PARTITION …, then apply',
    });
  });
});

describe('where tables of other schemas inherit', () => {
  const outside = { outside: ['other.items'] };
  const actual = {
    columns: [column('code', { default: "'a'" })],
    constraints: [check('ours', 'code > 0'), check('alone', 'code > 0', true)],
  };

  it.each([
    ['a column more', { columns: [desiredColumn('code', { default: "'a'" }), desiredColumn('more')] }],
    ['another type', { columns: [desiredColumn('code', { default: "'a'", type: 'int' })] }],
    ['another default', { columns: [desiredColumn('code', { default: "'b'" })] }],
    ['NOT NULL', { columns: [desiredColumn('code', { default: "'a'", notNull: true })] }],
    ['a check more', { constraints: [{ ...OF_BASE, ...check('a check', 'code > 5') }] }],
    ['another check', { constraints: [{ ...OF_BASE, ...check('ours', 'code > 5') }] }],
  ])('%s is blocked, with rows and without', (_, wanted) => {
    for (const rows of ['some', 'none']) {
      const statuses = changesFor(outside, wanted, actual, { rows, values: 'none' }).map(({ status }) => status);
      expect(new Set(statuses)).toEqual(new Set(['blocked']));
      expect(changesFor({}, wanted, actual, { rows, values: 'none' })[0]?.status).toBe('pending');
    }
  });

  it.each([
    ['an index', { indexes: [desiredIndex('by_code', ['code'])] }],
    ['a key', { constraints: [uniqueKey('code_key', ['code'])] }],
    ['a check of the table alone', { constraints: [{ ...OF_BASE, ...check('c', 'code > 5', true) }] }],
    ['another one', { constraints: [{ ...OF_BASE, ...check('alone', 'code > 5', true) }] }],
    ['another persistence', { persistence: 'unlogged' as const }],
  ])('%s is made', (_, wanted) => {
    expect(changesFor(outside, wanted, actual, { rows: 'none' }).map(({ status }) => status)).toEqual(['pending']);
  });

  it('a column that an interrupted run has begun to fill does not get its name: theirs would get it too', () => {
    const more = desiredColumn('more', { default: 'gen_random_uuid()' });
    const begun = { columns: [column(unfilledName('items', more))] };
    expect(neededFor(outside, { columns: [more] }, begun)).toEqual(['add-column more blocked']);
    expect(neededFor({}, { columns: [more] }, begun)).toEqual(['add-column more pending']);
  });

  it('three are named', () => {
    const wanted = { columns: [desiredColumn('more')] };
    const [made] = changesFor({ outside: ['a.x', 'b.x', 'c.x', 'd.x'] }, wanted, {});
    expect(made?.obstacle).toBe(
      'ALTER TABLE would change a.x, b.x, c.x and more as well: tables of other schemas that inherit from items',
    );
  });
});

describe('where the tenant’s own tables inherit', () => {
  const heirs = [{ table: 'heir', own: [{ column: 'more', type: 'text' }] }];

  it('a column that one has of its own is taken in where its type is the declared one', () => {
    expect(neededFor({ heirs }, { columns: [desiredColumn('more')] }, {})).toEqual(['add-column more pending']);
    expect(neededFor({ heirs }, { columns: [desiredColumn('more', { type: 'int' })] }, {})).toEqual([
      'add-column more blocked',
    ]);
  });

  it('a column that one has of its own is taken in by none that is filled under another name first', () => {
    const wanted = { columns: [desiredColumn('more', { default: 'gen_random_uuid()' })] };
    expect(neededFor({ heirs }, wanted, {})).toEqual(['add-column more blocked']);
  });

  it('a column is not replaced where one has it of its own, or a view is over theirs', () => {
    const wanted = { columns: [desiredColumn('more', { type: 'int' })] };
    const actual = { columns: [column('more')] };
    const users = ({ table: of }: { readonly table: string }) => (of === 'heir' ? ['view seen'] : []);
    const answers = { rows: 'some', values: 'none' };
    expect(neededFor({ heirs }, wanted, actual, answers)).toEqual(['replace-column more blocked']);
    const bare = [{ table: 'heir', own: [] }];
    expect(neededFor({ heirs: bare }, wanted, actual, { ...answers, users })).toEqual(['replace-column more blocked']);
    expect(neededFor({ heirs: bare }, wanted, actual, answers)).toEqual(['replace-column more pending']);
  });
});

it('of a table without kin nobody asks whose', () => {
  const asked = () => {
    throw new Error('asked');
  };
  expect(neededFor(null, { columns: [desiredColumn('more')] }, {}, { kin: asked })).toEqual([
    'add-column more pending',
  ]);
});

it('of a family’s members the parts of the parent’s indexes stay, and the others are dropped', () => {
  const dropping = change({
    phase: 'base',
    action: 'drop-index',
    table: 'items',
    object: 'by_bank',
    family: 'by_bank',
    reason: 'the rows that it was made for are gone',
    steps: [drop('items', identifierVariable('index'))],
  });
  const context = contextWith({ kin: { ...NO_KIN, ...PARTITION, indexes: ['by_bank_1'] } });
  const members = [{ index: 'by_bank_1' }, { index: 'by_bank_2' }];
  const found = sparingMembers([{ change: dropping, members }], table({ hasKin: true }), context);
  expect(found.map((item) => [item.change.status, item.members])).toEqual([
    ['blocked', [{ index: 'by_bank_1' }]],
    ['pending', [{ index: 'by_bank_2' }]],
  ]);
});
