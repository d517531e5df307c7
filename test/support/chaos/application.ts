import type pg from 'pg';

/** The kinds of member that the application makes for a bank: code in the name, value in the predicate. */
const KINDS = [
  ['worl', 'world'],
  ['expr', 'experience'],
  ['obsv', 'observation'],
] as const;

/** A bank that the application makes while the tests run. */
export interface Bank {
  readonly schema: string;
  readonly id: string;
  readonly internalId: string;
}

/** The number's bank of a schema. */
export const bankNumber = (schema: string, number: number): Bank => {
  const digits = number.toString(16).padStart(8, '0');
  return { schema, id: `made ${number}`, internalId: `${digits}-0000-4000-8000-000000000000` };
};

const membersOf = ({ internalId }: Bank): readonly string[] =>
  KINDS.map(([code]) => `idx_mu_emb_${code}_${internalId.replaceAll('-', '').slice(0, 16)}`);

/** As the application makes a bank: its row, and its members by plain CREATE INDEX, in one transaction. */
export async function createBank(client: pg.Client, bank: Bank): Promise<void> {
  await inTransaction(client, [
    `INSERT INTO ${bank.schema}.banks (bank_id, internal_id) VALUES ('${bank.id}', '${bank.internalId}')`,
    ...membersOf(bank).map(
      (name, at) =>
        `CREATE INDEX IF NOT EXISTS ${name} ON ${bank.schema}.memory_units USING hnsw (embedding public.vector_cosine_ops) WHERE fact_type = '${KINDS[at]?.[1]}' AND bank_id = '${bank.id}'`,
    ),
  ]);
}

/** As the application deletes a bank: its rows, and its members by name. */
export async function deleteBank(client: pg.Client, bank: Bank): Promise<void> {
  await inTransaction(client, [
    `DELETE FROM ${bank.schema}.memory_units WHERE bank_id = '${bank.id}'`,
    `DELETE FROM ${bank.schema}.banks WHERE bank_id = '${bank.id}'`,
    ...membersOf(bank).map((name) => `DROP INDEX IF EXISTS ${bank.schema}.${name}`),
  ]);
}

async function inTransaction(client: pg.Client, statements: readonly string[]): Promise<void> {
  await client.query('BEGIN');
  try {
    for (const sql of statements) await client.query(sql);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}
