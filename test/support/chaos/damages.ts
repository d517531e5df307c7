import { BANKS, memberOf } from './rows.js';

/**
 * What goes wrong in a populated tenant, by name: statements about schema `S`, each in a transaction of its own. Apply
 * brings all of it back without an approval.
 */
export const DAMAGES = {
  'members missing': [`DROP INDEX S.${memberOf(0, 'worl')}, S.${memberOf(1, 'obsv')}`],
  'every member missing': BANKS.map(
    (_, bank) =>
      `DROP INDEX IF EXISTS ${(['worl', 'expr', 'obsv'] as const).map((code) => `S.${memberOf(bank, code)}`).join(', ')}`,
  ),
  'a member of another operator class': [
    `DROP INDEX S.${memberOf(1, 'worl')}`,
    `CREATE INDEX ${memberOf(1, 'worl')} ON S.memory_units USING hnsw (embedding public.vector_l2_ops) WHERE fact_type = 'world' AND bank_id = 'second'`,
  ],
  'a b-tree under a member’s name': [
    `DROP INDEX S.${memberOf(1, 'expr')}`,
    `CREATE INDEX ${memberOf(1, 'expr')} ON S.memory_units (bank_id)`,
  ],
  'a member under another name': [`ALTER INDEX S.${memberOf(0, 'expr')} RENAME TO strayed`],
  'an INVALID member': [invalid(memberOf(0, 'obsv'))],
  'an INVALID leftover of ours': [
    'CREATE INDEX trueup_00000000000000aa ON S.memory_units (context)',
    invalid('trueup_00000000000000aa'),
  ],
  'a member of nobody': [
    `CREATE INDEX idx_mu_emb_worl_ffffffffffffffff ON S.memory_units USING hnsw (embedding public.vector_cosine_ops) WHERE fact_type = 'world' AND bank_id = 'gone'`,
  ],
  'a stale global index': [
    'CREATE INDEX idx_memory_units_embedding ON S.memory_units USING hnsw (embedding public.vector_cosine_ops)',
  ],
  'indexes missing': ['DROP INDEX S.idx_memory_units_tags, S.idx_entities_bank_lower_name, S.idx_audit_log_started'],
  'an index of other keys': [
    'DROP INDEX S.idx_memory_units_bank_date',
    'CREATE INDEX idx_memory_units_bank_date ON S.memory_units (bank_id, event_date)',
  ],
  'text index missing': ['DROP INDEX S.idx_memory_units_text_search'],
  'NOT NULL missing': [
    'ALTER TABLE S.memory_units ALTER tags DROP NOT NULL, ALTER metadata DROP NOT NULL',
    'ALTER TABLE S.audit_log ALTER started_at DROP NOT NULL',
  ],
  'CHECK missing': ['ALTER TABLE S.memory_units DROP CONSTRAINT memory_units_fact_type_check'],
  'another CHECK': [
    'ALTER TABLE S.entities DROP CONSTRAINT chk_entities_entity_kind',
    "ALTER TABLE S.entities ADD CONSTRAINT chk_entities_entity_kind CHECK (entity_kind <> 'none')",
  ],
  'CHECK not validated': [
    'ALTER TABLE S.memory_units DROP CONSTRAINT memory_units_fact_type_check',
    "ALTER TABLE S.memory_units ADD CONSTRAINT memory_units_fact_type_check CHECK (fact_type IN ('world', 'experience', 'observation')) NOT VALID",
  ],
  'a leftover constraint of ours': [
    'ALTER TABLE S.memory_units ADD CONSTRAINT trueup_00000000000000bb CHECK (text IS NOT NULL) NOT VALID',
  ],
  'FOREIGN KEY missing': [
    'ALTER TABLE S.memory_units DROP CONSTRAINT memory_units_document_fkey',
    'ALTER TABLE S.unit_entities DROP CONSTRAINT fk_unit_entities_entity_id_entities',
  ],
  'UNIQUE missing': ['ALTER TABLE S.banks DROP CONSTRAINT banks_internal_id_unique'],
  'PRIMARY KEY missing': ['ALTER TABLE S.llm_requests DROP CONSTRAINT llm_requests_pkey'],
  'a column with a volatile default missing': ['ALTER TABLE S.audit_log DROP COLUMN id'],
  'columns missing': [
    'ALTER TABLE S.memory_units DROP COLUMN proof_count, DROP COLUMN observation_scopes',
    'ALTER TABLE S.directives DROP COLUMN is_active',
  ],
  'another default': [
    "ALTER TABLE S.memory_units ALTER fact_type SET DEFAULT 'observation', ALTER created_at DROP DEFAULT",
  ],
  'a narrower column': ['ALTER TABLE S.directives ALTER name TYPE varchar(40)'],
  'tables missing': [
    'DROP TABLE S.knowledge_pages',
    'DROP TABLE S.webhooks',
    'DROP TABLE S.mental_model_history CASCADE',
  ],
  'a view missing': ['DROP MATERIALIZED VIEW S.memory_units_bm25'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type DamageName = keyof typeof DAMAGES;
export const DAMAGE_NAMES = Object.keys(DAMAGES) as readonly DamageName[];

/** The damage's statements for one tenant. */
export const damageStatements = (name: DamageName, schema: string): readonly string[] =>
  DAMAGES[name].map((sql) => sql.replaceAll(/\bS\./gu, `${schema}.`));

/** As an interrupted concurrent build leaves it. */
function invalid(index: string): string {
  return `UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass('S.${index}')`;
}
