import { temporaryDesiredState } from './library.js';

/** A desired state of one small table, with one column more than {@link lackingExtra} makes. */
export const notesState = (): string =>
  temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [notes] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': `
tables:
  notes:
    columns: { id: { type: bigint, nullable: false }, extra: text }
    primary_key: { name: notes_pkey, columns: [id] }
`,
  });

/** Makes tenants that lack the column. */
export const lackingExtra = (schemas: readonly string[]): string =>
  schemas
    .map(
      (schema) =>
        `CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.notes (id bigint NOT NULL, CONSTRAINT notes_pkey PRIMARY KEY (id));`,
    )
    .join('\n');
