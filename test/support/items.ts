import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FLEET = `
version: 1
tenants: { having_tables: [items] }
phases: [{ name: base, file: base.yaml }]
`;
const BASE = `
tables:
  items:
    columns:
      id: { type: bigint, nullable: false }
      name: { type: text, nullable: false }
      note: text
    primary_key: { name: items_pkey, columns: [id] }
    indexes:
      - { name: items_name, keys: [name] }
      - { name: items_note, keys: [note] }
`;

/** A desired state of one small table: what tests of the run itself need. The caller removes the directory. */
export function writeItems(): { readonly directory: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'trueup-items-'));
  writeFileSync(join(directory, 'fleet.yaml'), FLEET);
  writeFileSync(join(directory, 'base.yaml'), BASE);
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** How a tenant is made; one without `rows` is empty. */
export interface ItemsOptions {
  readonly rows?: number;
  /** What it lacks. */
  readonly without?: readonly ('items_name' | 'items_note' | 'note' | 'not-null')[];
  /** A row without a name, so that NOT NULL cannot be had. */
  readonly nameless?: boolean;
}

/** SQL that makes a tenant of {@link writeItems}, whole or not. */
export function itemsTenant(schema: string, options: ItemsOptions = {}): string {
  const { rows = 0, without = [], nameless = false } = options;
  const lacks = (what: NonNullable<ItemsOptions['without']>[number]) => without.includes(what);
  return [
    `CREATE SCHEMA ${schema};`,
    `CREATE TABLE ${schema}.items (id bigint CONSTRAINT items_pkey PRIMARY KEY, name text ${lacks('not-null') ? '' : 'NOT NULL'}${lacks('note') ? '' : ', note text'});`,
    ...(lacks('items_name') ? [] : [`CREATE INDEX items_name ON ${schema}.items (name);`]),
    ...(lacks('items_note') || lacks('note') ? [] : [`CREATE INDEX items_note ON ${schema}.items (note);`]),
    `INSERT INTO ${schema}.items (id, name) SELECT i, 'item ' || md5(i::text) FROM generate_series(1, ${rows}) i;`,
    ...(nameless ? [`INSERT INTO ${schema}.items (id) VALUES (0);`] : []),
  ].join('\n');
}
