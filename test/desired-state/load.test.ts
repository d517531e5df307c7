import { describe, expect, it } from 'vitest';
import type { DesiredTable } from '../../src/desired-state/model.js';
import { edited, load, problemsOf } from '../support/desired-state-fixture.js';

const table = (tables: readonly DesiredTable[], name: string): DesiredTable => {
  const found = tables.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no table ${name}`);
  return found;
};

describe('a desired state', () => {
  it('unites what the phases say of a table, each entry with its phase', async () => {
    const state = await load();
    expect(state.tables.map(({ name, phase }) => [name, phase])).toEqual([
      ['shops', 'base'],
      ['items', 'base'],
    ]);
    const items = table(state.tables, 'items');
    expect(items.columns.map(({ name, phase }) => `${phase}.${name}`)).toEqual([
      'base.id',
      'base.shop_id',
      'base.kind',
      'search.body',
    ]);
    expect(items.indexes.map(({ name }) => name)).toEqual(['items_kind']);
    expect(items.families.map(({ label }) => label)).toEqual(['items_body_${kind.code}_${shop.short}']);
  });

  it('fills in what a declaration leaves out', async () => {
    const state = await load();
    const shops = table(state.tables, 'shops');
    expect(shops.columns[0]).toMatchObject({
      name: 'id',
      type: 'bigint',
      notNull: true,
      default: null,
      generated: null,
      collation: null,
      filledBy: 'database',
      derived: false,
      identity: {
        kind: 'always',
        start: '1',
        increment: '1',
        minimum: '1',
        maximum: '9223372036854775807',
        cache: '1',
        cycle: false,
      },
    });
    expect(shops.constraints[0]).toMatchObject({
      kind: 'primary-key',
      name: 'shops_pkey',
      columns: ['id'],
      include: [],
      deferrable: 'no',
      indexValid: true,
      replicaIdentity: false,
    });
    const items = table(state.tables, 'items');
    expect(items.columns.map(({ filledBy }) => filledBy)).toEqual(['database', 'nothing', 'database', 'application']);
    expect(items.columns[0]?.notNull, 'a primary key column').toBe(true);
    expect(items.constraints[1]).toMatchObject({
      kind: 'foreign-key',
      references: { schema: null, table: 'shops' },
      onDelete: 'cascade',
      onUpdate: 'no action',
      match: 'simple',
    });
    expect(items.indexes[0]).toMatchObject({
      method: { name: 'btree', extension: null },
      unique: false,
      keys: [
        { column: 'kind', order: 'asc', nulls: 'last' },
        { column: 'shop_id', order: 'desc', nulls: 'first' },
      ],
      where: null,
      worthRows: null,
      requiresRows: null,
      onePerTable: false,
    });
  });

  it('has a foreign key onto a table of another schema, which no file declares', async () => {
    const { tables } = await load(
      edited(
        'base.yaml',
        'references: { table: shops, columns: [id] }',
        'references: { schema: public, table: kinds, columns: [code] }',
      ),
    );
    expect(table(tables, 'items').constraints[1]).toMatchObject({
      references: { schema: 'public', table: 'kinds' },
      referencedColumns: ['code'],
    });
  });

  it('leaves the variables of a family open in its name and predicate', async () => {
    const [family] = table((await load()).tables, 'items').families;
    expect(family?.name).toEqual(['items_body_', { variable: 'kind.code' }, '_', { variable: 'shop.short' }]);
    expect(family?.where).toEqual([
      'kind = ',
      { variable: 'kind.value' },
      ' AND shop_id::text = ',
      { variable: 'shop.id' },
    ]);
    expect(family?.rows).toMatchObject({
      name: 'shop',
      table: 'shops',
      values: { id: 'id::text', short: 'left(name, 8)' },
    });
    expect(family?.lists).toEqual([
      {
        name: 'kind',
        entries: [
          { value: 'new', code: 'n' },
          { value: 'used', code: 'u' },
        ],
      },
    ]);
  });

  it('keeps a type with its parameters open beside the filled one', async () => {
    const body = table((await load()).tables, 'items').columns.find(({ name }) => name === 'body');
    expect(body).toMatchObject({
      type: 'bit(8)',
      typeTemplate: ['bit(', { variable: 'width' }, ')'],
      parameters: ['width'],
    });
  });

  it('keeps options as text, off as off', async () => {
    const [, index] = table((await load({}, { backends: { search: 'fancy' } })).tables, 'items').indexes;
    expect(index).toMatchObject({
      method: { name: 'fancy', extension: 'fancy' },
      options: { fastupdate: 'off', exact: 'true' },
      optionDefaults: { fastupdate: 'on', depth: '3' },
    });
  });

  it('says where each thing is declared', async () => {
    const state = await load();
    expect(table(state.tables, 'items').source).toMatchObject({ line: 8, column: 3 });
    expect(table(state.tables, 'items').columns[1]?.source).toMatchObject({ line: 11, column: 7 });
  });

  it('holds the entries of the selected phases only, and the ownership of all', async () => {
    const base = await load({}, { skipExtensionPhases: true });
    expect(base.phases.map(({ name, selected }) => [name, selected])).toEqual([
      ['base', true],
      ['search', false],
    ]);
    expect(base.phases[1]?.owns).toEqual({ columns: ['body'], methods: ['gin', 'fancy'], ignoring: [] });
    expect(table(base.tables, 'items').columns.map(({ name }) => name)).toEqual(['id', 'shop_id', 'kind']);
    const search = await load({}, { phases: ['search'], backends: { search: 'fancy' } });
    expect(search.tables.map(({ name }) => name)).toEqual(['items']);
    expect(search.tables[0]?.columns.map(({ name }) => name)).toEqual(['body']);
    expect(search.extensions).toMatchObject([{ name: 'fancy', schema: 'public', minVersion: '1.2', phase: 'search' }]);
    expect((await load({}, { skipExtensionPhases: true, backends: { search: 'fancy' } })).extensions).toEqual([]);
  });

  it('reads materialized views and the base schema of the environment', async () => {
    const view =
      '\nmaterialized_views:\n  totals: { query: "SELECT shop_id, count(*) AS n FROM items GROUP BY 1", with_data: false, indexes: [{ name: totals_shop, unique: true, keys: [shop_id] }] }\n';
    const state = await load(
      edited('base.yaml', 'keys: [kind, { column: shop_id, order: desc }] }\n', `keys: [kind] }\n${view}`),
      { environment: { SHOP_SCHEMA: 'main' } },
    );
    expect(state.tenants).toMatchObject({
      baseSchema: 'main',
      havingTables: ['shops', 'items'],
      schemas: null,
      like: null,
      query: null,
    });
    expect(table(state.tables, 'totals')).toMatchObject({
      kind: 'materialized-view',
      view: { withData: false },
      indexes: [{ name: 'totals_shop' }],
    });
  });

  it('has a digest that comments and key order leave alone, and content, backends and given values change', async () => {
    const { digest } = await load();
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/u);
    expect((await load(edited('base.yaml', 'tables:', '# a remark\ntables:'))).digest).toBe(digest);
    expect(
      (await load(edited('fleet.yaml', '{ name: base, file: base.yaml }', '{ file: base.yaml, name: base }'))).digest,
    ).toBe(digest);
    expect((await load(edited('base.yaml', "'new'", "'old'"))).digest).not.toBe(digest);
    expect((await load({}, { backends: { search: 'fancy' } })).digest).not.toBe(digest);
    expect((await load({}, { parameters: { width: '9' } })).digest).not.toBe(digest);
    expect((await load({}, { parameters: { width: '8' } })).digest, 'given, so that it may replace').not.toBe(digest);
  });

  it('refuses flags that name no phase, with the nearest one', async () => {
    expect(await problemsOf({}, { phases: ['serch'] })).toMatchObject([
      { code: 'USAGE', remedy: 'did you mean "search"?' },
    ]);
    expect(await problemsOf({}, { backends: { base: 'x' } })).toMatchObject([{ code: 'USAGE' }]);
    expect(await problemsOf({}, { phases: ['search'], skipExtensionPhases: true })).toMatchObject([{ code: 'USAGE' }]);
  });
});
