import { Ansis } from 'ansis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadOptions } from '../../src/desired-state/load-options.js';
import { explainFleet } from '../../src/explain/explain-fleet.js';
import type { Explanation, ProbeResult } from '../../src/explain/explanation.js';
import { DEFAULT_STATEMENT_TIMEOUT, type ExplainRequest } from '../../src/explain/request.js';
import { NO_PROGRESS } from '../../src/progress.js';
import { explainDocument } from '../../src/report/explain-json.js';
import { explainText } from '../../src/report/explain-text.js';
import { MemberNames } from '../../src/report/member-names.js';
import { quoteIdentifier, quoteLiteral } from '../../src/sql/quote.js';
import { createMember, insertBank, memberName } from '../support/banks.js';
import { type FleetUnderTest, loadShipped, openFleet } from '../support/fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const GLOBAL = 'idx_memory_units_embedding';
const BIG = "Greta Garbo's";
const SMALL = 'Flann';
/** Narrow vectors: 20,000 of them are indexed in seconds. */
const LOAD: Partial<LoadOptions> = { parameters: { embedding_dimension: '8' } };

let test: TestDatabase;
let fleet: FleetUnderTest;

const memories = (schema: string, bank: string, rows: number, fact = 'world') =>
  `INSERT INTO ${quoteIdentifier(schema)}.memory_units (bank_id, text, fact_type, embedding)
   SELECT ${quoteLiteral(bank)}, 'memory number ' || n, '${fact}',
          (SELECT array_agg(sin(n * 7919 + i * 104729)) FROM generate_series(1, 8) i)::public.vector
     FROM generate_series(1, ${rows}) n;`;

beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  await fleet.provision(['acme', 'tiny'], { load: LOAD });
  await test.exec(insertBank('acme', 1, BIG) + insertBank('acme', 2, SMALL) + insertBank('tiny', 3, 'x'));
  await test.exec(memories('acme', BIG, 20_000) + memories('acme', SMALL, 500, 'experience') + memories('tiny', 'x', 5));
  await fleet.apply({ load: LOAD });
  await test.exec('ANALYZE acme.memory_units; ANALYZE tiny.memory_units');
});

afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

async function explain(request: Partial<ExplainRequest> = {}, schemas = ['acme'], of = fleet): Promise<Explanation> {
  return explainFleet(of.database, {
    desired: await loadShipped({ load: LOAD }),
    reload: (changes) => loadShipped({ load: { ...LOAD, ...changes } }),
    selection: { schemas, exclude: [], allowEmpty: false, allowAbsent: false },
    probes: ['recall'],
    values: {},
    hypothetical: false,
    analyze: false,
    statementTimeout: DEFAULT_STATEMENT_TIMEOUT,
    progress: NO_PROGRESS,
    ...request,
  });
}

const one = (explanation: Explanation): ProbeResult => {
  const [result, ...more] = explanation.results;
  if (result === undefined || more.length > 0) throw new Error(`${explanation.results.length} results`);
  return result;
};

const text = (explanation: Explanation, hide = true) =>
  explainText(explanation, { hide: hide ? new MemberNames(explanation.states) : null, color: new Ansis(0), width: 120 });

describe('explain', () => {
  it('x', async () => {
    console.log(text(await explain({ probes: [], analyze: true })));
    console.log(text(await explain({ values: { 'bank.bank_id': SMALL } })));
    await test.exec(`CREATE INDEX ${GLOBAL} ON acme.memory_units USING hnsw (embedding public.vector_cosine_ops)`);
    console.log(text(await explain({ hypothetical: true })));
    await test.exec(`DROP INDEX acme.${memberName('worl', 1)}`);
    console.log(text(await explain({ hypothetical: true, analyze: true }), false));
    console.log(text(await explain({ })));
    await test.exec(`DROP INDEX acme.${GLOBAL}`);
    console.log(text(await explain({ })));
    console.log(JSON.stringify(explainDocument(await explain({ probes: [] }, []), { hide: null })).slice(0, 3000));
  });
});
