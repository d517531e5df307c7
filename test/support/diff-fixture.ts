import type { DesiredColumn, DesiredConstraint, DesiredIndex, DesiredTable } from '../../src/desired-state/model.js';
import type { DiffContext } from '../../src/diff/context.js';
import { FactSheet, type Question } from '../../src/diff/facts.js';
import type {
  ColumnShape,
  IdentityShape,
  IndexKeyShape,
  IndexShape,
  KeyConstraintShape,
  TableShape,
} from '../../src/shape/table-shape.js';
import { phase } from './plan-fixture.js';

const SOURCE = { file: 'base.yaml', line: 1, column: 1 };
/** Where what is declared stands. */
export const OF_BASE = { phase: 'base', source: SOURCE };

/** A column of a tenant: text, unless told otherwise. */
export const column = (name: string, fields: Partial<ColumnShape> = {}): ColumnShape => ({
  name,
  type: 'text',
  collation: null,
  notNull: false,
  default: null,
  generated: null,
  identity: null,
  ...fields,
});

/** An identity whose numbers end soon. */
export const IDENTITY: IdentityShape = {
  kind: 'always',
  start: '1',
  increment: '1',
  minimum: '1',
  maximum: '100',
  cache: '1',
  cycle: false,
};

/** The same as declared. */
export const desiredColumn = (name: string, fields: Partial<DesiredColumn> = {}): DesiredColumn => ({
  ...column(name, fields),
  ...OF_BASE,
  filledBy: 'nothing',
  derived: false,
  parameters: [],
  typeTemplate: [fields.type ?? 'text'],
  ...fields,
});

/** A key of an index, in the usual order: a column's; null where the fields give an expression. */
export const indexKey = (name: string | null, fields: Partial<IndexKeyShape> = {}): IndexKeyShape => ({
  column: name,
  expression: null,
  opclass: null,
  opclassOptions: {},
  collation: null,
  order: 'asc',
  nulls: 'last',
  ...fields,
});

/** A valid b-tree of a tenant. */
export const index = (name: string, columns: readonly string[], fields: Partial<IndexShape> = {}): IndexShape => ({
  name,
  method: { name: 'btree', extension: null },
  unique: false,
  nullsNotDistinct: false,
  keys: columns.map((of) => indexKey(of)),
  include: [],
  options: {},
  where: null,
  valid: true,
  replicaIdentity: false,
  ...fields,
});

/** The same as declared. */
export const desiredIndex = (
  name: string,
  columns: readonly string[],
  fields: Partial<DesiredIndex> = {},
): DesiredIndex => ({
  ...index(name, columns),
  ...OF_BASE,
  optionDefaults: {},
  onePerTable: false,
  requiresRows: null,
  worthRows: null,
  keyField: null,
  ...fields,
});

/** A UNIQUE constraint, as it is and as it is declared. */
export const uniqueKey = (
  name: string,
  columns: readonly string[],
  fields: Partial<KeyConstraintShape> = {},
): KeyConstraintShape & DesiredConstraint => ({
  ...OF_BASE,
  name,
  kind: 'unique',
  columns,
  include: [],
  nullsNotDistinct: false,
  deferrable: 'no',
  validated: true,
  indexValid: true,
  replicaIdentity: false,
  ...fields,
});

/** A table of a tenant. */
export const table = (fields: Partial<TableShape> = {}): TableShape => ({
  name: 'items',
  kind: 'table',
  persistence: 'permanent',
  columns: [],
  constraints: [],
  indexes: [],
  ...fields,
});

/** The same as declared. */
export const desiredTable = (fields: Partial<DesiredTable> = {}): DesiredTable => ({
  ...OF_BASE,
  name: 'items',
  kind: 'table',
  persistence: 'permanent',
  columns: [],
  constraints: [],
  indexes: [],
  families: [],
  view: null,
  ...fields,
});

/** Of a tenant whose tables hold no row, where nothing stands on anything, and what is written otherwise means something else. */
const NOTHING: Readonly<Record<Question['kind'], unknown>> = {
  rows: 'none',
  values: 'none',
  users: [],
  drawing: [],
  references: [],
  indexes: { computed: false, identity: false },
  'going-along': [],
  domain: { any: false, refusesNull: false },
  persistence: [],
  barriers: null,
  kin: null,
  count: 0,
  release: null,
  owner: null,
  building: null,
  usage: { scans: 0, bytes: 0 },
  expression: false,
  type: false,
  columns: [],
  'shared-key': null,
  view: true,
};

/** What a diff goes by, with answers by the kind of question; a function answers each by itself. */
export const contextWith = (
  answers: Partial<Record<Question['kind'], unknown>> = {},
  fields: Partial<DiffContext> = {},
): DiffContext => ({
  facts: new FactSheet((_, question) => {
    const answer = answers[question.kind] ?? NOTHING[question.kind];
    return typeof answer === 'function' ? answer(question) : answer;
  }),
  phases: [phase('base')],
  tables: [],
  parameters: {},
  release: null,
  allow: new Set(),
  isDefaultOpclass: () => false,
  home: null,
  actualTables: new Map(),
  ...fields,
});
