import { BANKS, createMember, memberName } from './fleet.js';

/** One kind of drift: what went wrong, with which tenants, and how the demonstration brings it about. */
export interface DemoDrift {
  readonly tenants: readonly string[];
  /** How a fleet comes to this, in one line. */
  readonly story: string;
  /** Run in each of the tenants, with `search_path` set to it. */
  readonly statements: readonly DemoStatement[];
  /** What the plan must then say of each of these tenants. */
  readonly expected: ExpectedChange;
}

/** A statement; `fails`: the SQLSTATE that it must end with, and whose debris is the point. */
export interface DemoStatement {
  readonly sql: string;
  readonly fails?: string;
}

/** A change that the plan must have, by its action, table, object and status. */
export interface ExpectedChange {
  readonly action: string;
  readonly table: string;
  /** Null for a family's change: its object is the family, and its members are hidden. */
  readonly object: string | null;
  readonly status: 'pending' | 'blocked' | 'deferred';
}

const run = (...statements: readonly string[]): readonly DemoStatement[] => statements.map((sql) => ({ sql }));

/** Every kind of drift that the demonstration shows, one a tenant but for the first. */
export const DRIFTS: readonly DemoDrift[] = [
  {
    tenants: ['acme', 'birch', 'cedar'],
    story: 'an old version left one vector index over all banks, which gives too few rows to each of them',
    statements: run('CREATE INDEX idx_memory_units_embedding ON memory_units USING hnsw (embedding vector_cosine_ops)'),
    expected: {
      action: 'drop-index',
      table: 'memory_units',
      object: 'idx_memory_units_embedding',
      status: 'pending',
    },
  },
  {
    tenants: ['dune'],
    story: 'a restore left out one of the three vector indexes of a bank',
    statements: run(`DROP INDEX ${memberName(BANKS.sales, 'expr')}`),
    expected: { action: 'create-index', table: 'memory_units', object: null, status: 'pending' },
  },
  {
    tenants: ['ember'],
    story: 'a vector index has the right name, and the operator class of another distance',
    statements: run(
      `DROP INDEX ${memberName(BANKS.support, 'worl')}`,
      createMember(BANKS.support, 'worl', 'vector_l2_ops'),
    ),
    expected: { action: 'rebuild-index', table: 'memory_units', object: null, status: 'pending' },
  },
  {
    tenants: ['fjord'],
    story:
      'a unique index was built over duplicates: the build failed and left an INVALID index; the duplicates are gone',
    statements: [
      ...run(
        'DROP INDEX idx_entities_bank_lower_name',
        `INSERT INTO entities (bank_id, canonical_name) VALUES ('support', 'Ada'), ('support', 'ada')`,
      ),
      {
        sql: 'CREATE UNIQUE INDEX CONCURRENTLY idx_entities_bank_lower_name ON entities (bank_id, lower(canonical_name))',
        fails: '23505',
      },
      ...run(`DELETE FROM entities WHERE canonical_name = 'ada'`),
    ],
    expected: {
      action: 'rebuild-index',
      table: 'entities',
      object: 'idx_entities_bank_lower_name',
      status: 'pending',
    },
  },
  {
    tenants: ['grove'],
    story: 'a column is missing',
    statements: run('ALTER TABLE async_operations DROP COLUMN retry_count'),
    expected: { action: 'add-column', table: 'async_operations', object: 'retry_count', status: 'pending' },
  },
  {
    tenants: ['harbor'],
    story: 'a bank was deleted, and its vector indexes stayed',
    statements: run(
      `DELETE FROM mental_models WHERE bank_id = '${BANKS.trial.id}'`,
      `DELETE FROM memory_units WHERE bank_id = '${BANKS.trial.id}'`,
      `DELETE FROM banks WHERE bank_id = '${BANKS.trial.id}'`,
    ),
    expected: { action: 'drop-index', table: 'memory_units', object: null, status: 'pending' },
  },
  {
    tenants: ['iris'],
    story: 'a table is missing',
    statements: run('DROP TABLE webhooks'),
    expected: { action: 'create-table', table: 'webhooks', object: 'webhooks', status: 'pending' },
  },
  {
    tenants: ['juniper'],
    story: 'someone changed a default by hand',
    statements: run('ALTER TABLE mental_models ALTER COLUMN max_tokens SET DEFAULT 1024'),
    expected: { action: 'alter-column', table: 'mental_models', object: 'max_tokens', status: 'pending' },
  },
  {
    tenants: ['kelp'],
    story: 'a vector index has another name, and the application finds them by name',
    statements: run(`ALTER INDEX ${memberName(BANKS.support, 'obsv')} RENAME TO idx_restored_1`),
    expected: { action: 'rename-index', table: 'memory_units', object: null, status: 'pending' },
  },
  {
    tenants: ['lumen'],
    story: 'a generated column became a plain one, and holds values: to replace it needs an approval',
    statements: run('ALTER TABLE mental_models ALTER COLUMN search_vector DROP EXPRESSION'),
    expected: { action: 'replace-column', table: 'mental_models', object: 'search_vector', status: 'blocked' },
  },
  {
    tenants: ['maple'],
    story: 'a tenant is at an older release: its tables wait for the migration of the application',
    statements: run(
      `UPDATE alembic_version SET version_num = 'c0a1b2c3d4e5'`,
      'ALTER TABLE async_operations DROP COLUMN next_retry_at',
    ),
    expected: { action: 'add-column', table: 'async_operations', object: 'next_retry_at', status: 'deferred' },
  },
];
