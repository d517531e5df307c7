import { afterAll, beforeAll, expect, it } from 'vitest';
import { explainFleet } from '../../src/explain/explain-fleet.js';
import type { ProbeResult } from '../../src/explain/explanation.js';
import { DEFAULT_STATEMENT_TIMEOUT } from '../../src/explain/request.js';
import { NO_PROGRESS } from '../../src/progress.js';
import { insertBank, memberName } from '../support/banks.js';
import { loadShipped, openFleet } from '../support/fleet.js';
import { startBackendServer } from '../support/postgres/backends.js';
import type { TestServer } from '../support/postgres/server.js';
import { createTestDatabase } from '../support/test-database.js';

let server: TestServer;
beforeAll(async () => {
  server = await startBackendServer();
}, 180_000);
afterAll(() => server?.remove());

/** The shipped probes on a tenant of a few rows, where nothing but an index is left to the planner. */
async function explain(backends: Readonly<Record<string, string>>): Promise<readonly ProbeResult[]> {
  const load = { backends, parameters: { embedding_dimension: '4' } };
  const test = await createTestDatabase({ server });
  const fleet = await openFleet(test.url);
  try {
    await fleet.provision(['acme'], { load });
    await test.exec(`${insertBank('acme', 1, 'b1')}
      INSERT INTO acme.memory_units (bank_id, text, fact_type, embedding)
        SELECT 'b1', 'Topic' || n % 5 || ', and what came of it', 'world', ARRAY[n, n % 7, n % 3, 1]::vector FROM generate_series(1, 300) n`);
    await fleet.apply({ load });
    const desired = await loadShipped({ load });
    const only = { enable_seqscan: 'off', enable_sort: 'off' };
    const { results } = await explainFleet(fleet.database, {
      desired: {
        ...desired,
        probes: desired.probes.map((probe) => ({ ...probe, settings: { ...probe.settings, ...only } })),
      },
      selection: { schemas: ['acme'], exclude: [], allowEmpty: false, allowAbsent: false },
      probes: [],
      values: {},
      hypothetical: false,
      analyze: true,
      statementTimeout: DEFAULT_STATEMENT_TIMEOUT,
      progress: NO_PROGRESS,
    });
    return results;
  } finally {
    await fleet.close();
    await test.drop();
  }
}

it('explain knows the members of pgvectorscale, and the custom scan of pg_search by the index that it names', async () => {
  const results = await explain({ vector: 'pgvectorscale', 'text-search': 'pg_search' });
  expect(results).toMatchObject([
    {
      probe: 'recall',
      verdict: 'member',
      used: [{ name: memberName('worl', 1), method: 'diskann', extension: 'vectorscale' }],
    },
    {
      probe: 'words',
      verdict: 'index',
      used: [{ name: 'idx_memory_units_text_search', method: 'bm25', extension: 'pg_search' }],
    },
  ]);
  for (const { plan } of results) expect(plan?.executed?.rows).toBeGreaterThan(0);
}, 60_000);
