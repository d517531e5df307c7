import type pg from 'pg';
import { quoteIdentifier } from '../../src/sql/quote.js';
import { withClient } from './build-fleet.js';

/** Tables whose vector indexes are looked for, with the pattern of their names and the rows that are counted. */
const VECTOR_TABLES = [
  { table: 'memory_units', pattern: 'idx_mu_emb_%', where: 'WHERE embedding IS NOT NULL' },
  { table: 'mental_models', pattern: 'idx_mental_models_embedding%', where: 'WHERE embedding IS NOT NULL' },
  // It has no embedding in today's shape: all of its rows are counted.
  { table: 'documents', pattern: '%embedding%', where: '' },
];

const TEXT_TABLES = ['memory_units', 'mental_models'];

/**
 * What a reconcile that asks tenant by tenant costs, with nothing to do: the statements of the one that trueup replaces,
 * written anew. Two fresh connections and 32 statements a tenant, of which 12 begin and end transactions; its
 * conclusions, which cost no time, are left out.
 */
export async function probe(url: string, schemas: readonly string[]): Promise<void> {
  for (const schema of schemas) {
    await withClient(url, (client) => probeVectorIndexes(client, schema));
    await withClient(url, (client) => probeTextSearch(client, schema));
  }
}

/** 12 statements and 4 transactions. */
async function probeVectorIndexes(client: pg.Client, schema: string): Promise<void> {
  await inTransaction(client, async () => {
    await client.query('SELECT pg_catalog.version()');
    await client.query('SELECT current_schema()');
    await client.query(`SELECT 1 FROM pg_extension WHERE extname = 'vector'`);
  });
  for (const { table, pattern, where } of VECTOR_TABLES) {
    await inTransaction(client, async () => {
      await client.query(TABLE_EXISTS, [schema, table]);
      await client.query(`SELECT COUNT(*) FROM ${quoteIdentifier(schema)}.${table} ${where}`);
      await client.query(INDEXES_BY_NAME, [schema, table, pattern]);
    });
  }
}

/** 8 statements and 2 transactions. */
async function probeTextSearch(client: pg.Client, schema: string): Promise<void> {
  for (const table of TEXT_TABLES) {
    await inTransaction(client, async () => {
      await client.query(TABLE_EXISTS, [schema, table]);
      await client.query(COLUMN_TYPE, [schema, table, 'search_vector']);
      await client.query(INDEX_METHOD, [`idx_${table}_text_search`]);
      await client.query(INDEXES_BY_NAME, [schema, table, `idx_${table}_text_search`]);
    });
  }
}

async function inTransaction(client: pg.Client, work: () => Promise<void>): Promise<void> {
  await client.query('BEGIN');
  await work();
  await client.query('COMMIT');
}

const TABLE_EXISTS = `
SELECT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema = $1 AND table_name = $2)`;

const INDEXES_BY_NAME = `
SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = $1 AND tablename = $2 AND indexname LIKE $3`;

const COLUMN_TYPE = `
SELECT data_type, udt_name FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2 AND column_name = $3`;

/** By name alone, which finds some tenant's index. Without the LIMIT it would cost in proportion to the fleet's square. */
const INDEX_METHOD = `
SELECT am.amname FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_am am ON am.oid = c.relam
 WHERE c.relname = $1 LIMIT 1`;
