/** A tenant of the demonstration: a schema, and the banks that its application has made. */
export interface DemoTenant {
  readonly schema: string;
  readonly banks: readonly DemoBank[];
}

/** A bank: its rows are searched through vector indexes of its own, named after the first 16 digits of its uuid. */
export interface DemoBank {
  readonly id: string;
  readonly uuid: string;
}

const SUPPORT: DemoBank = { id: 'support', uuid: '5a17c0de-0001-4a00-8000-000000000001' };
const SALES: DemoBank = { id: 'sales', uuid: '5a17c0de-0002-4a00-8000-000000000002' };
const TRIAL: DemoBank = { id: 'trial', uuid: '5a17c0de-0003-4a00-8000-000000000003' };

/** The banks of the demonstration by their ids. Fixed uuids, so that two runs print the same names. */
export const BANKS = { support: SUPPORT, sales: SALES, trial: TRIAL } as const;

const SCHEMAS = [
  ...['acme', 'birch', 'cedar', 'dune', 'ember', 'fjord', 'grove'],
  ...['harbor', 'iris', 'juniper', 'kelp', 'lumen', 'maple', 'north'],
];

/** The tenants, all alike but for one that has a bank more. */
export const TENANTS: readonly DemoTenant[] = SCHEMAS.map((schema) => ({
  schema,
  banks: schema === 'harbor' ? [SUPPORT, SALES, TRIAL] : [SUPPORT, SALES],
}));

const FACT_TYPES = [
  { value: 'world', code: 'worl' },
  { value: 'experience', code: 'expr' },
  { value: 'observation', code: 'obsv' },
] as const;

/** The three-letter words in the names of a bank's vector indexes. */
export type FactCode = (typeof FACT_TYPES)[number]['code'];

/** The name of a bank's vector index. */
export const memberName = (bank: DemoBank, code: FactCode): string =>
  `idx_mu_emb_${code}_${bank.uuid.replaceAll('-', '').slice(0, 16)}`;

/** The statement with which the application makes a bank's vector index. */
export function createMember(bank: DemoBank, code: FactCode, opclass = 'vector_cosine_ops'): string {
  const value = FACT_TYPES.find((type) => type.code === code)?.value ?? '';
  return (
    `CREATE INDEX ${memberName(bank, code)} ON memory_units USING hnsw (embedding ${opclass}) ` +
    `WHERE fact_type = '${value}' AND bank_id = '${bank.id}'`
  );
}

/** What the application writes into a fresh tenant, with `search_path` set to it: banks, their indexes, some rows. */
export function seedStatements(tenant: DemoTenant): readonly string[] {
  return tenant.banks.flatMap((bank) => [
    `INSERT INTO banks (bank_id, internal_id, name) VALUES ('${bank.id}', '${bank.uuid}', initcap('${bank.id}'))`,
    ...FACT_TYPES.map(({ code }) => createMember(bank, code)),
    `INSERT INTO memory_units (bank_id, fact_type, text, embedding)
      SELECT '${bank.id}', (ARRAY['world', 'experience', 'observation'])[1 + n % 3], 'Memory number ' || n, ${embedding('n')}
      FROM generate_series(1, 12) AS n`,
    `INSERT INTO mental_models (bank_id, id, name, source_query, content, embedding)
      SELECT '${bank.id}', 'model-' || n, 'Model ' || n, 'What matters?', 'Customers ask for number ' || n, ${embedding('n')}
      FROM generate_series(1, 2) AS n`,
  ]);
}

/** Any 384 numbers will do; these differ from row to row. */
const embedding = (seed: string): string =>
  `(SELECT array_agg(sin(${seed} * i))::vector(384) FROM generate_series(1, 384) AS i)`;
