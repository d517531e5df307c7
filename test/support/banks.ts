import type { Change } from '../../src/diff/change.js';
import type { FleetPlan } from '../../src/plan/fleet-plan.js';
import { quoteIdentifier, quoteLiteral } from '../../src/sql/quote.js';
import { itemsOf } from './fleet.js';

/** The kinds of member that each bank of the shipped desired state has: code in the name, value in the predicate. */
export const KINDS = [
  { code: 'worl', value: 'world' },
  { code: 'expr', value: 'experience' },
  { code: 'obsv', value: 'observation' },
] as const;

export type Code = (typeof KINDS)[number]['code'];

/** A bank's UUID from a number below 16 (its digit eight times), so that a test knows its members' names. */
export const internalId = (number: number): string => `${number.toString(16).repeat(8)}-aaaa-4aaa-8aaa-aaaaaaaaaaaa`;

/** The name by which the application finds a bank's member. */
export const memberName = (code: Code, number: number): string =>
  `idx_mu_emb_${code}_${number.toString(16).repeat(8)}aaaa4aaa`;

/** A bank's row. */
export const insertBank = (schema: string, number: number, id: string): string =>
  `INSERT INTO ${quoteIdentifier(schema)}.banks (bank_id, internal_id) VALUES (${quoteLiteral(id)}, '${internalId(number)}');`;

/** A member as the application creates it; parts of it may be made wrong. */
export function createMember(
  schema: string,
  number: number,
  bank: string,
  code: Code,
  wrong: { readonly name?: string; readonly using?: string; readonly with?: string; readonly where?: string } = {},
): string {
  const value = KINDS.find((kind) => kind.code === code)?.value ?? '';
  const using = wrong.using ?? 'hnsw (embedding public.vector_cosine_ops)';
  const where = wrong.where ?? `WHERE fact_type = '${value}' AND bank_id = ${quoteLiteral(bank)}`;
  const named = quoteIdentifier(wrong.name ?? memberName(code, number));
  return `CREATE INDEX ${named} ON ${quoteIdentifier(schema)}.memory_units USING ${using} ${wrong.with ?? ''} ${where};`;
}

/** Memories with random embeddings, the same for each seed. */
export const insertMemories = (schema: string, bank: string, rows: number, fact = 'world'): string =>
  `INSERT INTO ${quoteIdentifier(schema)}.memory_units (bank_id, text, fact_type, embedding)
   SELECT ${quoteLiteral(bank)}, 'memory ' || n, '${fact}',
          (SELECT array_agg(sin(n * 7919 + i * 104729)) FROM generate_series(1, 384) i)::public.vector
     FROM generate_series(1, ${rows}) n;`;

/** The family's changes: action, status, reason, and the members' names in order. */
export function familyChanges(
  plan: FleetPlan,
  schema: string,
): readonly (Pick<Change, 'action' | 'reason'> & { readonly members: readonly string[] })[] {
  return itemsOf(plan, schema)
    .filter(({ change }) => change.family !== null)
    .map(({ change, members }) => ({
      action: change.action,
      reason: change.reason,
      members: (members ?? []).map((member) => member.index ?? '').sort(),
    }));
}

/** Indexes of one tenant's memory_units that are of a vector method or named like a member: name → definition and validity. */
export const VECTOR_INDEXES_SQL = `
select c.relname::text "name", i.indisvalid valid, pg_get_indexdef(c.oid) definition
  from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
  join pg_namespace n on n.oid = t.relnamespace join pg_am a on a.oid = c.relam
 where n.nspname = $1 and t.relname = 'memory_units' and (a.amname = 'hnsw' or c.relname ~ '^idx_mu_emb|^trueup') order by 1`;
