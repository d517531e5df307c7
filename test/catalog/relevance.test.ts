import { expect, it } from 'vitest';
import { type Relevance, relevanceOf, relevantShape } from '../../src/catalog/relevance.js';
import type { ColumnShape, ForeignKeyShape } from '../../src/shape/table-shape.js';
import { loadShipped } from '../support/fleet.js';

it('cuts every table of the shipped extension phases, and none where most tables have constraints or no phase is left out', async () => {
  const extensions = await loadShipped({ load: { phases: ['vector', 'text-search'] } });
  const cut = (await relevanceOf(extensions)).map(({ table }) => table);
  expect(cut).toEqual(
    expect.arrayContaining(extensions.tables.flatMap(({ name, view }) => (view === null ? name : []))),
  );
  expect(await relevanceOf(await loadShipped({ load: { skipExtensionPhases: true } }))).toEqual([]);
  expect(await relevanceOf(await loadShipped())).toEqual([]);
});

it('leaves of a shape what a plan can go by: no default of a column that it only names, no key to a table that it knows by its rows alone', () => {
  const column = (name: string): ColumnShape => ({
    name,
    type: 'text',
    collation: null,
    notNull: false,
    default: "'x'",
    generated: null,
    identity: null,
  });
  const key = (columns: readonly string[], references: string): ForeignKeyShape => ({
    kind: 'foreign-key',
    name: `items_${references}`,
    validated: true,
    columns,
    references: { schema: null, table: references },
    referencedColumns: ['id'],
    onUpdate: 'no action',
    onDelete: 'no action',
    match: 'simple',
    deferrable: 'no',
  });
  const relevance: Relevance = {
    table: 'items',
    columns: ['body', 'kind'],
    changeable: ['body'],
    names: [],
    methods: [],
    prefixes: [],
    bare: false,
  };
  const shape = relevantShape(
    {
      name: 'items',
      kind: 'table',
      persistence: 'permanent',
      columns: ['body', 'kind', 'note'].map(column),
      constraints: [key(['kind'], 'shops'), key(['kind'], 'shelves'), key(['body'], 'texts')],
      indexes: [],
    },
    relevance,
    new Set(['items', 'shelves']),
  );
  expect(shape.columns).toEqual([column('body'), { ...column('kind'), default: null }]);
  expect(shape.constraints.map(({ name }) => name)).toEqual(['items_shelves', 'items_texts']);
});
