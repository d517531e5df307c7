import { withClient } from './build-fleet.js';
import { type FleetSize, firstMember, tenantName } from './tenants.js';

/** Five ways in which tenants drift: what was lost in an upgrade, a restore, or by hand. */
const WAYS: readonly ((schema: string, tenant: number) => string)[] = [
  (schema) => `DROP INDEX ${schema}.idx_directives_bank_id`,
  (schema) => `ALTER TABLE ${schema}.directives DROP COLUMN priority`,
  (schema) => `ALTER TABLE ${schema}.directives ALTER COLUMN is_active SET DEFAULT false`,
  (schema) => `DROP INDEX ${schema}.idx_mental_models_embedding;
               CREATE INDEX idx_mental_models_embedding ON ${schema}.mental_models USING hnsw (embedding public.vector_cosine_ops) WITH (m = 8)`,
  (schema, tenant) => `DROP INDEX IF EXISTS ${schema}.${firstMember(tenant)}`,
];

/** Damages 1% of the fleet's tenants, but one in each way at least (where there are five), spread over the fleet. */
export async function damage(url: string, { tenants }: FleetSize): Promise<void> {
  const damaged = Math.min(tenants, Math.max(WAYS.length, Math.round(tenants / 100)));
  const step = Math.floor(tenants / damaged);
  await withClient(url, async (client) => {
    for (let index = 0; index < damaged; index += 1) {
      const tenant = index * step;
      await client.query(WAYS[index % WAYS.length]?.(tenantName(tenant), tenant) ?? '');
    }
  });
}
