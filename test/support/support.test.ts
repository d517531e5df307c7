import { existsSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEmbedded } from './pglite.js';
import { startServer } from './postgres/server.js';
import { loadReferenceTenant, referenceTenantSql } from './reference-tenant.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

describe('a test database', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('has vector and pg_trgm in public, and builds an hnsw index', async () => {
    await database.exec('CREATE TABLE t (e public.vector(3)); CREATE INDEX ON t USING hnsw (e vector_cosine_ops)');
    const extensions = await database.query(
      "SELECT extname AS name, extnamespace::regnamespace::text AS schema FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1",
    );
    expect(extensions).toEqual([
      { name: 'pg_trgm', schema: 'public' },
      { name: 'vector', schema: 'public' },
    ]);
  });

  it('has no extension without the template', async () => {
    const bare = await createTestDatabase({ template: false });
    expect(await bare.query("SELECT FROM pg_extension WHERE extname = 'vector'")).toEqual([]);
    await bare.drop();
  });

  it('runs a script through psql, and fails at its first error', async () => {
    expect(await database.psql('SELECT 1;\nSELECT 2;\n')).toBe('1\n2\n');
    await expect(database.psql('SELECT 1;\nSELECT nothing;\nCREATE TABLE after_error ();')).rejects.toThrow('nothing');
    expect(await database.query("SELECT FROM pg_class WHERE relname = 'after_error'")).toEqual([]);
  });

  it('connects as another role', async () => {
    const role = `${database.name}_reader`;
    await database.exec(`CREATE ROLE ${role} LOGIN`);
    const client = await database.connect(role);
    expect((await client.query('SELECT current_user AS name')).rows).toEqual([{ name: role }]);
    await client.end();
    await database.exec(`DROP ROLE ${role}`);
  });

  it('holds the reference tenant under any name, or says that there is none', async () => {
    for (const schema of ['tenant_b', 'Tenant "$&" x']) {
      const loaded = loadReferenceTenant(database, schema);
      if (referenceTenantSql(schema) === null) {
        await expect(loaded).rejects.toThrow('no reference tenant');
        continue;
      }
      await loaded;
      const tables = await database.query(
        "SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = $1 AND relkind = 'r'",
        [schema],
      );
      expect(tables).toHaveLength(23);
    }
  });
});

describe('a server of its own', () => {
  it('comes back after a crash with what was committed, and leaves nothing behind', async () => {
    const server = await startServer({ settings: { max_connections: '20', shared_buffers: '16MB' } });
    const run = async (sql: string) => {
      const client = new pg.Client({ connectionString: server.url('postgres') });
      await client.connect();
      const { rows } = await client.query(sql);
      await client.end();
      return rows as unknown[];
    };
    await run('CREATE TABLE kept AS SELECT 1 AS n');
    await server.restart('immediate');
    expect(await run('SELECT n FROM kept')).toEqual([{ n: 1 }]);
    expect(await run('SHOW max_connections')).toEqual([{ max_connections: '20' }]);
    await server.remove();
    await expect(run('SELECT 1')).rejects.toThrow();
    expect(existsSync(server.directory)).toBe(false);
  });
});

describe('the embedded PostgreSQL', () => {
  it('has vector, pg_trgm and pg_textsearch', async () => {
    const database = await createEmbedded();
    await database.exec('CREATE TABLE t (e vector(3), x text)');
    await database.exec(
      "CREATE INDEX ON t USING hnsw (e vector_cosine_ops); CREATE INDEX ON t USING bm25 (x) WITH (text_config = 'english')",
    );
    await database.exec('CREATE INDEX ON t USING gin (x gin_trgm_ops)');
    await database.close();
  });
});
