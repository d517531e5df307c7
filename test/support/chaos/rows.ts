/** What every tenant of the chaos fleet holds; the same ids in each, so that tenants can be compared object by object. */
export interface TenantRows {
  /** Memories with embeddings: what the builds of vector indexes take their time for. */
  readonly memories: number;
  /** Rows of the table whose column is filled again in batches. */
  readonly audits: number;
}

/** The two banks of every tenant. */
export const BANKS = [
  { id: "o'brien", internalId: '1a1a1a1a-1a1a-4a1a-8a1a-1a1a1a1a1a1a', shortId: '1a1a1a1a1a1a4a1a' },
  { id: 'second', internalId: '2b2b2b2b-2b2b-4b2b-8b2b-2b2b2b2b2b2b', shortId: '2b2b2b2b2b2b4b2b' },
] as const;

/** A bank's member by the code of its kind. */
export const memberOf = (bank: number, code: 'worl' | 'expr' | 'obsv'): string =>
  `idx_mu_emb_${code}_${BANKS[bank]?.shortId ?? ''}`;

/** The rows of one tenant, in an order that its foreign keys allow. */
export function fillTenant(schema: string, rows: TenantRows): string {
  const banks = BANKS.map(({ id, internalId }) => `('${id.replaceAll("'", "''")}', '${internalId}')`).join(', ');
  const bank = (number: string) =>
    `(ARRAY[${BANKS.map(({ id }) => `'${id.replaceAll("'", "''")}'`).join(', ')}])[1 + ${number} % 2]`;
  return `
INSERT INTO ${schema}.banks (bank_id, internal_id) VALUES ${banks};
INSERT INTO ${schema}.documents (id, bank_id, original_text) SELECT 'd' || n, ${bank('n')}, 'text ' || n FROM generate_series(1, 20) n;
INSERT INTO ${schema}.chunks (chunk_id, document_id, bank_id, chunk_index, chunk_text)
  SELECT 'c' || n, 'd' || n, ${bank('n')}, n, 'chunk ' || n FROM generate_series(1, 20) n;
INSERT INTO ${schema}.memory_units (id, bank_id, document_id, chunk_id, text, fact_type, event_date, embedding)
  SELECT md5('${schema}' || n)::uuid, ${bank('n')}, 'd' || n % 20 + (n % 20 = 0)::int * 20, 'c' || n % 20 + (n % 20 = 0)::int * 20,
         'memory ' || n, (ARRAY['world', 'world', 'experience', 'observation'])[1 + n / 2 % 4], '2026-01-01'::timestamptz + n * interval '1 min', e.embedding
    FROM generate_series(1, ${rows.memories}) s (n) JOIN embeddings e USING (n);
INSERT INTO ${schema}.entities (id, bank_id, canonical_name) SELECT md5('e' || n)::uuid, ${bank('n')}, 'Entity ' || n FROM generate_series(1, 40) n;
INSERT INTO ${schema}.unit_entities (unit_id, entity_id)
  SELECT md5('${schema}' || n)::uuid, md5('e' || n)::uuid FROM generate_series(1, 40) n;
INSERT INTO ${schema}.directives (bank_id, name, content) SELECT ${bank('n')}, 'directive ' || n, 'be kind' FROM generate_series(1, 20) n;
INSERT INTO ${schema}.mental_models (id, bank_id, name, source_query, content, embedding)
  SELECT 'm' || n, ${bank('n')}, 'model ' || n, 'why?', 'content ' || n, e.embedding FROM generate_series(1, 10) s (n) JOIN embeddings e USING (n);
INSERT INTO ${schema}.audit_log (action, transport, started_at) SELECT 'act', 'http', '2026-01-01'::timestamptz + n * interval '1 s' FROM generate_series(1, ${rows.audits}) n;
INSERT INTO ${schema}.llm_requests (status, bank_id) SELECT 'done', ${bank('n')} FROM generate_series(1, 200) n;
INSERT INTO ${schema}.async_operations (bank_id, operation_type) SELECT ${bank('n')}, 'retain' FROM generate_series(1, 50) n;
INSERT INTO ${schema}.alembic_version SELECT 'd1e2f3a4b5c6' WHERE NOT EXISTS (SELECT FROM ${schema}.alembic_version);
`;
}

/** Random embeddings, made once and copied into every tenant. */
export const makeEmbeddings = (rows: number): string => `
CREATE UNLOGGED TABLE public.embeddings AS
  SELECT n, (SELECT array_agg(sin(n * 7919 + i * 104729)) FROM generate_series(1, 384) i)::public.vector AS embedding
    FROM generate_series(1, ${rows}) n;`;
