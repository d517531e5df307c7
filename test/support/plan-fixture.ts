import type { FleetOutcome } from '../../src/apply/fleet-outcome.js';
import { summariseOutcomes, type TenantOutcome } from '../../src/apply/outcome.js';
import type { DesiredPhase, DesiredState, DesiredTable, IndexFamily } from '../../src/desired-state/model.js';
import { fill } from '../../src/diff/backfill.js';
import { blocked, type Change, change, deferred, type Member, type TenantChange } from '../../src/diff/change.js';
import type { DatabasePlan, FleetPlan, PlannedTenant } from '../../src/plan/fleet-plan.js';
import { assemble } from '../../src/plan/plan-fleet.js';
import { identifierVariable, literalVariable, name, SCHEMA, sql } from '../../src/sql/template.js';

const SOURCE = { file: 'search.yaml', line: 1, column: 1 };

/** A change that drops an index nobody declared. */
export const dropIndex = (index: string): Change =>
  change({
    phase: 'search',
    action: 'drop-index',
    table: 'items',
    object: index,
    reason: 'owned by phase search, absent from the desired state',
    hazards: ['INDEX_DROPPED', 'INDEX_IN_USE'],
    steps: [
      {
        sql: sql`DROP INDEX CONCURRENTLY ${SCHEMA}.${name(index)}`,
        mode: 'online',
        lock: { mode: 'SHARE UPDATE EXCLUSIVE', table: 'items' },
      },
    ],
  });

/** A change that adds a column, in a transaction. */
export const addColumn = (column: string, fields: Partial<Change> = {}): Change =>
  change({
    phase: 'base',
    action: 'add-column',
    table: 'items',
    object: column,
    reason: 'missing',
    steps: [
      {
        sql: sql`ALTER TABLE ${SCHEMA}.items ADD COLUMN ${name(column)} text`,
        mode: 'transaction',
        lock: { mode: 'ACCESS EXCLUSIVE', table: 'items' },
      },
    ],
    ...fields,
  });

/** A change that fills a column in batches. */
export const backfill = (column: string): Change =>
  addColumn(column, {
    hazards: ['BACKFILL'],
    steps: [...addColumn(column).steps, fill('items', column)],
  });

const FAMILY_LABEL = 'items_body_${kind.code}_${shop.short}';

/** A change for the members of an index family that are missing. */
export const missingMembers = (...members: readonly Member[]): TenantChange => ({
  change: change({
    phase: 'search',
    action: 'create-index',
    table: 'items',
    object: FAMILY_LABEL,
    family: FAMILY_LABEL,
    reason: 'missing',
    hazards: ['INDEX_BUILD'],
    steps: [
      {
        sql: sql`CREATE INDEX CONCURRENTLY ${identifierVariable('index')} ON ${SCHEMA}.items USING gin (body) WHERE kind = ${literalVariable('kind.value')} AND shop = ${literalVariable('shop.id')}`,
        mode: 'online',
        lock: { mode: 'SHARE UPDATE EXCLUSIVE', table: 'items' },
        builds: { variable: 'index', as: 'identifier' },
      },
    ],
  }),
  members,
});

/** The member for a shop. */
export const member = (shop: string, code: 'n' | 'u' = 'n'): Member => ({
  'kind.value': code === 'n' ? 'new' : 'used',
  'kind.code': code,
  'shop.id': shop,
  'shop.short': shop.slice(0, 8),
  index: `items_body_${code}_${shop.slice(0, 8)}`,
});

/** A change that is refused. */
export const refusedRebuild: Change = blocked(
  change({
    phase: 'search',
    action: 'rebuild-index',
    table: 'items',
    object: 'items_title',
    reason: 'its operator class is title_l2, declared title_cosine',
    hazards: ['INDEX_DROPPED', 'INDEX_BUILD'],
    steps: dropIndex('items_title').steps,
  }),
  'items holds rows, and replacing its indexes takes time and load',
  'approve it with --allow rebuild-index',
);

/** A change that waits. */
export const waitingIndex: Change = deferred(
  change({
    phase: 'search',
    action: 'create-index',
    table: 'items',
    object: 'items_auto',
    reason: 'missing',
    steps: [],
  }),
  'needs 10000 rows to be built, has 12',
  'nothing to do: it is built when the rows are there',
);

/** A tenant that needs these changes. */
export function tenant(schema: string, ...changes: readonly (Change | TenantChange)[]): PlannedTenant {
  const items = changes.map((item) => ('change' in item ? item : { change: item, members: null }));
  return { database: 'main', schema, changes: items, fingerprint: schema, owner: 'app', isNew: false, phases: PHASES };
}

/** Tenants `t1` to `tN`, all with the same changes. */
export const tenants = (count: number, ...changes: readonly (Change | TenantChange)[]): readonly PlannedTenant[] =>
  Array.from({ length: count }, (_, at) => tenant(`t${at + 1}`, ...changes));

/** A database's part of a plan. */
export const databasePlan = (fields: Partial<DatabasePlan> = {}): DatabasePlan => ({
  id: 'main',
  host: 'db.example',
  port: 5432,
  name: 'app',
  serverVersion: '17.2',
  role: 'deploy',
  source: '--database-url',
  databaseChanges: [],
  diagnostics: [],
  tenants: [],
  unreadable: [],
  shapes: 1,
  unmanaged: null,
  allowedSchemas: [],
  shard: null,
  desired: desiredState(),
  ...fields,
});

/** A phase of the fixture. */
export const phase = (name: string, fields: Partial<DesiredPhase> = {}): DesiredPhase => ({
  name,
  extension: name !== 'base',
  selected: true,
  backend: null,
  owns: null,
  keep: [],
  searchPath: [],
  buildSettings: {},
  limits: {},
  ...fields,
});

const PHASES: readonly DesiredPhase[] = [
  phase('base'),
  phase('search', {
    backend: { value: 'plain', source: 'default', alternatives: ['plain'], resolved: 'plain', known: [] },
    buildSettings: { maintenance_work_mem: '1GB' },
  }),
];

const family: IndexFamily = {
  phase: 'search',
  label: FAMILY_LABEL,
  name: ['items_body_', { variable: 'kind.code' }, '_', { variable: 'shop.short' }],
  rows: { name: 'shop', table: 'shops', values: { id: 'id', short: 'left(id, 8)' }, source: SOURCE },
  lists: [
    {
      name: 'kind',
      entries: [
        { value: 'new', code: 'n' },
        { value: 'used', code: 'u' },
      ],
    },
  ],
  where: ['kind = ', { variable: 'kind.value' }, ' AND shop = ', { variable: 'shop.id' }],
  method: { name: 'gin', extension: null },
  optionDefaults: {},
  options: {},
  unique: false,
  nullsNotDistinct: false,
  keys: [],
  include: [],
  onePerTable: false,
  requiresRows: null,
  worthRows: null,
  keyField: null,
  source: SOURCE,
};

const items: DesiredTable = {
  name: 'items',
  phase: 'base',
  kind: 'table',
  persistence: 'permanent',
  columns: [],
  constraints: [],
  indexes: [],
  families: [family],
  view: null,
  source: SOURCE,
};

/** A desired state with the phases `base` and `search`. */
export const desiredState = (fields: Partial<DesiredState> = {}): DesiredState => ({
  directory: '/desired-state',
  digest: `sha256:${'0'.repeat(64)}`,
  connectionVariables: [],
  targets: [],
  tenants: { baseSchema: null, havingTables: ['items'], schemas: null, like: null, query: null, exclude: [] },
  release: null,
  migrationLock: null,
  phases: PHASES,
  parameters: { width: { value: 8, source: 'default', forNewOnly: true } },
  tables: [items],
  extensions: [],
  probes: [],
  overrides: [],
  ...fields,
});

/** A plan of one database, made at a fixed time. */
export function fleetPlan(database: Partial<DatabasePlan>, desired: Partial<DesiredState> = {}): FleetPlan {
  const plan = assemble([databasePlan({ desired: desiredState(desired), ...database })]);
  return { ...plan, createdAt: new Date('2025-01-02T03:04:05Z') };
}

/** An outcome of one database. */
export const fleetOutcome = (ended: readonly TenantOutcome[], fields: Partial<FleetOutcome> = {}): FleetOutcome => ({
  planId: `sha256:${'1'.repeat(64)}`,
  databases: [databasePlan()],
  databaseChanges: [],
  tenants: ended,
  summary: summariseOutcomes(ended),
  failedDatabases: [],
  ended: null,
  interrupted: null,
  ...fields,
});

/** A tenant's end. */
export const ended = (
  schema: string,
  outcome: TenantOutcome['outcome'],
  fields: Partial<TenantOutcome> = {},
): TenantOutcome => ({ database: 'main', schema, outcome, changes: [], error: null, ...fields });
