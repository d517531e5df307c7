import { quoteIdentifier, quoteLiteral } from '../../src/sql/quote.js';

/** How large a fleet is. */
export interface FleetSize {
  readonly tenants: number;
  /** Of each tenant; each has a vector index for every fact type. */
  readonly banks: number;
}

/** A pattern, as LIKE and regular expressions have it, that all tenants of the bench match and nothing else. */
export const TENANT_PATTERN = '^bench_[0-9]{5}$';

/** The schema of a tenant, by its number from 0. */
export const tenantName = (tenant: number): string => `bench_${String(tenant).padStart(5, '0')}`;

/** The schemas of a fleet. */
export const tenantNames = (size: FleetSize): readonly string[] =>
  Array.from({ length: size.tenants }, (_, tenant) => tenantName(tenant));

const FACT_TYPES = [
  { code: 'worl', value: 'world' },
  { code: 'expr', value: 'experience' },
  { code: 'obsv', value: 'observation' },
];

/** What the application sends when a tenant's banks are made: their rows, and each bank's vector indexes. */
export function bankStatements(tenant: number, size: FleetSize): readonly string[] {
  const schema = quoteIdentifier(tenantName(tenant));
  return Array.from({ length: size.banks }, (_, bank) => bankOf(tenant, bank)).flatMap(({ id, internalId }) => [
    `INSERT INTO ${schema}.banks (bank_id, internal_id) VALUES (${quoteLiteral(id)}, '${internalId}')`,
    ...FACT_TYPES.map(
      ({ code, value }) =>
        `CREATE INDEX ${memberName(code, internalId)} ON ${schema}.memory_units USING hnsw (embedding public.vector_cosine_ops) ` +
        `WHERE fact_type = '${value}' AND bank_id = ${quoteLiteral(id)}`,
    ),
  ]);
}

/** The vector index of a tenant's first bank for the first fact type. */
export const firstMember = (tenant: number): string => memberName('worl', bankOf(tenant, 0).internalId);

/** Every bank of the fleet has an id and a UUID of its own, the same in each build. */
const bankOf = (tenant: number, bank: number) => ({
  id: `bank-${tenant}-${bank}`,
  internalId: `${hex(tenant)}-${hex(bank).slice(4)}-4000-8000-000000000000`,
});

const memberName = (code: string, internalId: string): string =>
  `idx_mu_emb_${code}_${internalId.replaceAll('-', '').slice(0, 16)}`;

const hex = (number: number): string => number.toString(16).padStart(8, '0');
