import { describe, expect, it } from 'vitest';
import { edited, type Files, load, problemsOf } from '../support/desired-state-fixture.js';

const base = (from: string, to: string): Files => edited('base.yaml', from, to);
const KIND = 'kind: { type: text, default: "\'new\'" }';

const KEYS = '    primary_key: { name: items_pkey, columns: [id] }\n    foreign_keys:';

type Case = readonly [name: string, files: Files, where: string, message: string, remedy: string];

const CASES: readonly Case[] = [
  [
    'an unknown key',
    base('primary_key: { name: items', 'primry_key: { name: items'),
    'base.yaml:13:5',
    'unknown key "primry_key" in tables.items',
    'did you mean "primary_key"?',
  ],
  [
    'a missing key',
    base(', columns: [id] }\n  items', ' }\n  items'),
    'base.yaml:7:18',
    '"columns" is missing from tables.shops.primary_key',
    'add it',
  ],
  [
    'a value of another kind',
    base('keys: [kind, { column: shop_id, order: desc }]', 'keys: kind'),
    'base.yaml:17:35',
    'tables.items.indexes[0].keys must be a list, but is text',
    'correct its form',
  ],
  [
    'an unknown action',
    base('cascade', 'cascad'),
    'base.yaml:15:105',
    'tables.items.foreign_keys[0].on_delete cannot be "cascad"; it is one of: no action, restrict, cascade, set null, set default',
    'did you mean "cascade"?',
  ],
  [
    'an unknown parameter',
    edited('search/plain.yaml', '${width}', '${widht}'),
    'search/plain.yaml:7:26',
    'there is no parameter "widht"',
    'did you mean "width"?',
  ],
  [
    'an unknown set',
    edited('search/plain.yaml', '= ${shop.id}', '= ${shops.id}'),
    'search/plain.yaml:15:58',
    'there is no set "shops" here',
    'did you mean "shop"?',
  ],
  [
    'an unknown value of a set',
    edited('search/plain.yaml', '= ${shop.id}', '= ${shop.ids}'),
    'search/plain.yaml:15:58',
    'shop has no value "ids" here',
    'did you mean "id"?',
  ],
  [
    'a malformed placeholder',
    edited('search/plain.yaml', '${width}', '${width'),
    'search/plain.yaml:7:26',
    '"${width)" is not a placeholder',
    'write ${name}, or $${ for a literal ${',
  ],
  [
    'a malformed placeholder of an entry that is left out',
    base('kind: {', 'wide: { type: "varchar(${width)", when: { width: 16 } }\n      kind: {'),
    'base.yaml:12:30',
    '"${width)" is not a placeholder',
    'write ${name}, or $${ for a literal ${',
  ],
  [
    'a placeholder between quotes',
    base("'new'", "'${width}'"),
    'base.yaml:12:38',
    'the placeholder width stands inside quotes or a comment',
    'leave the quotes out: values are quoted when they are filled in',
  ],
  [
    'an index of an unknown column',
    base('keys: [kind,', 'keys: [knd,'),
    'base.yaml:17:9',
    'index "items_kind" names the column "knd", which "items" does not have',
    'did you mean "kind"?',
  ],
  [
    'a foreign key to an unknown table',
    base('table: shops', 'table: shop'),
    'base.yaml:15:9',
    'there is no table "shop"',
    'did you mean "shops"?',
  ],
  [
    'a foreign key to no key',
    base('columns: [id] }, on', 'columns: [name] }, on'),
    'base.yaml:15:9',
    'foreign key "items_shop" references shops (name), which no primary key, unique constraint or unique index covers',
    'declare one on shops',
  ],
  [
    'an index with the name of a key',
    base('name: items_kind', 'name: shops_pkey'),
    'base.yaml:17:9',
    expect.stringContaining('index "shops_pkey" has the name of the constraint at') as unknown as string,
    'rename one',
  ],
  [
    'a name that is too long',
    base('name: items_kind', `name: ${'ü'.repeat(32)}`),
    'base.yaml:17:17',
    `the name "${'ü'.repeat(32)}" has 64 bytes; PostgreSQL keeps 63`,
    'shorten it',
  ],
  ...['tableoid', 'cmax', 'xmax', 'cmin', 'xmin', 'ctid'].map(
    (name): Case => [
      `a column that every table has: ${name}`,
      edited('search/plain.yaml', 'body: {', `${name}: text\n      body: {`),
      'search/plain.yaml:7:7',
      `the column "${name}" has the name of a system column, which every table has`,
      'rename it',
    ],
  ),
  [
    'a phase that is given twice',
    edited('fleet.yaml', '  - name: search', '  - { name: base, file: base.yaml }\n  - name: search'),
    'fleet.yaml:7:13',
    'two phases are named "base"',
    'remove one, or rename it',
  ],
  [
    'a phase with backends that is given twice',
    edited(
      'fleet.yaml',
      'parameters:',
      '  - { name: search, backends: search/, select: { default: plain } }\nparameters:',
    ),
    'fleet.yaml:12:13',
    'two phases are named "search"',
    'remove one, or rename it',
  ],
  [
    'a file that two phases have',
    edited('fleet.yaml', '  - name: search', '  - { name: more, file: base.yaml }\n  - name: search'),
    'fleet.yaml:7:25',
    'two phases have the file "base.yaml"',
    'give each a file of its own',
  ],
  [
    'a column that two phases declare',
    edited('search/plain.yaml', 'body: {', 'kind: text\n      body: {'),
    'search/plain.yaml:7:7',
    expect.stringContaining('the column "kind" of "items" is declared twice, first at') as unknown as string,
    'keep one',
  ],
  [
    'a table that only a backend has',
    edited('search/plain.yaml', '\n  items:', '\n  item:'),
    'search/plain.yaml:5:3',
    '"item" is no table of base: a backend adds to tables, it brings none',
    'did you mean "items"?',
  ],
  [
    'a family whose members would share a name',
    edited('search/plain.yaml', '_${shop.short}', ''),
    'search/plain.yaml:9:15',
    'the name does not use "shop": members would share a name',
    'add a value of it, such as ${shop.…}',
  ],
  [
    'a family of an unknown table',
    edited('search/plain.yaml', 'table: shops', 'table: shop'),
    'search/plain.yaml:11:11',
    'there is no table "shop"',
    'did you mean "shops"?',
  ],
  [
    'two ways to a default',
    base(KIND, KIND.replace(' }', ', generated: "1" }')),
    'base.yaml:12:13',
    'column "kind" has both default and generated',
    'keep one of them',
  ],
  [
    'an identity of text',
    base('{ type: bigint, identity', '{ type: text, identity'),
    'base.yaml:5:35',
    'an identity column cannot be "text"',
    'make it smallint, integer or bigint',
  ],
  [
    'a key of nothing',
    base('{ column: shop_id, order: desc }', '{ order: desc }'),
    'base.yaml:17:42',
    'a key is either a column or an expression',
    'give one of column and expression',
  ],
  [
    'no way to find tenants',
    edited('fleet.yaml', ', having_tables: [shops, items]', ''),
    'fleet.yaml:4:10',
    'tenants does not say how tenants are found',
    'give exactly one of having_tables, schemas, like, query',
  ],
  [
    'a condition on an unknown parameter',
    edited('search/fancy.yaml', 'when: splitter', 'when: spliter'),
    'search/fancy.yaml:14:62',
    'there is no parameter "spliter"',
    'did you mean "splitter"?',
  ],
  [
    'a backend in a file of another name',
    edited('search/fancy.yaml', 'backend: fancy', 'backend: fency'),
    'search/fancy.yaml:2:10',
    'the backend "fency" stands in a file of another name',
    'write `backend: fancy`, or rename the file',
  ],
  [
    'a foreign key of a logged table onto an unlogged one',
    base('shops:\n', 'shops:\n    unlogged: true\n'),
    'base.yaml:16:9',
    'foreign key "items_shop" of a logged table references shops, which is unlogged',
    'make both of them logged, or both unlogged',
  ],
  [
    'a foreign key that would write a generated column',
    base(
      `${KIND}\n${KEYS}`,
      `twin: { type: bigint, generated: shop_id }\n      ${KIND}\n${KEYS}
      - { name: of_twin, columns: [twin], references: { table: shops, columns: [id] }, on_update: cascade }`,
    ),
    'base.yaml:16:9',
    'foreign key "of_twin" has on_update cascade, which would write the generated column "twin"',
    'choose another action',
  ],
];

describe('a problem', () => {
  it.each(CASES)('says where it is and what to do: %s', async (_name, files, where, message, remedy) => {
    const options = where.startsWith('search/fancy') ? { backends: { search: 'fancy' } } : {};
    expect(await problemsOf(files, options)).toEqual([{ code: 'DESIRED_STATE_INVALID', where, message, remedy }]);
  });

  it.each(['CTID', 'oid'])('is none of a column whose name no system column has: %s', async (name) => {
    const files = edited('search/plain.yaml', 'body: {', `${name}: text\n      body: {`);
    const { tables } = await load(files);
    expect(tables.flatMap((table) => table.columns.map((column) => column.name))).toContain(name);
  });

  it('comes with all others, by file and line', async () => {
    const found = await problemsOf({
      ...edited('search/plain.yaml', '${width}', '${widht}'),
      ...base('name: items_kind, keys: [kind,', 'name: items_kind, keys: [knd,'),
      ...edited('search/fancy.yaml', 'options:', 'optoins:'),
    });
    expect(found.map(({ where }) => where)).toEqual([
      'base.yaml:17:9',
      'search/fancy.yaml:11:9',
      'search/plain.yaml:7:26',
    ]);
  });

  it('is found in the file of a backend that is not chosen', async () => {
    expect(await problemsOf(edited('search/fancy.yaml', 'keys:', 'kyes:'))).toMatchObject([
      { where: 'search/fancy.yaml:9:9', message: '"keys" is missing from tables.items.indexes[0]' },
      { where: 'search/fancy.yaml:12:9', remedy: 'did you mean "keys"?' },
    ]);
  });
});
