import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FLEET = `
version: 1
tenants: { having_tables: [notes] }
phases:
  - { name: base, file: base.yaml }
`;

const BASE = `
tables:
  notes:
    columns:
      id: { type: bigint, nullable: false }
      body: text
    primary_key: { name: notes_pkey, columns: [id] }
    indexes:
      - { name: notes_slow, keys: [{ expression: "md5(repeat(body, 20000))" }] }
`;

/** One table, and an index that takes the server about a quarter of a millisecond a row: builds as long as a test wants. */
export interface SmallFleet {
  readonly directory: string;
  /** SQL that makes a tenant which lacks the index, with so many rows. */
  tenant(schema: string, rows: number): string;
  remove(): void;
}

/** Writes its desired state to a directory of its own. */
export function smallFleet(): SmallFleet {
  const directory = mkdtempSync(join(tmpdir(), 'trueup-small-fleet-'));
  writeFileSync(join(directory, 'fleet.yaml'), FLEET);
  writeFileSync(join(directory, 'base.yaml'), BASE);
  return {
    directory,
    tenant: (schema, rows) => `
      CREATE SCHEMA ${schema};
      CREATE TABLE ${schema}.notes (id bigint NOT NULL, body text, CONSTRAINT notes_pkey PRIMARY KEY (id));
      INSERT INTO ${schema}.notes SELECT n, n::text FROM generate_series(1, ${rows}) n;`,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
