import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { loadDesiredState } from '../../src/desired-state/load.js';
import type { LoadOptions } from '../../src/desired-state/load-options.js';
import type { DesiredState } from '../../src/desired-state/model.js';
import { TrueupError } from '../../src/trueup-error.js';

/** Where a desired state is one file, and tenants are told by two tables, `shops` and `items`. */
export const BASE_ONLY = `
version: 1
tenants: { having_tables: [shops, items] }
phases:
  - { name: base, file: base.yaml }
`;

/** Files of a desired state by path; null leaves one of {@link SHOP} out. */
export type Files = Readonly<Record<string, string | Uint8Array | null>>;

/** A small desired state: two tables, a phase `search` with the backends `plain` and `fancy`. */
export const SHOP = {
  'fleet.yaml': `
version: 1
connection: { env: [SHOP_DATABASE_URL] }
tenants: { base_schema: { env: SHOP_SCHEMA, default: public }, having_tables: [shops, items] }
phases:
  - { name: base, file: base.yaml }
  - name: search
    extension: true
    backends: search/
    select: { env: SHOP_SEARCH, default: plain }
    owns: { columns: [body], methods: [gin, fancy] }
parameters:
  width: { type: integer, minimum: 1, default: 8, default_for: new }
  min_rows: { type: integer, minimum: 0, default: 0, env: SHOP_MIN_ROWS }
  splitter:
    type: fragment
    values: [simple, icu]
    pattern: 'grams\\(\\d{1,3},\\d{1,3}\\)'
    numbers: ascending
    aliases: { plain: simple }
    normalize: [lowercase, no-spaces]
    env: SHOP_SPLITTER
`,
  'base.yaml': `
tables:
  shops:
    columns:
      id: { type: bigint, identity: always }
      name: { type: text, nullable: false }
    primary_key: { name: shops_pkey, columns: [id] }
  items:
    columns:
      id: { type: uuid, default: gen_random_uuid() }
      shop_id: { type: bigint, nullable: false }
      kind: { type: text, default: "'new'" }
    primary_key: { name: items_pkey, columns: [id] }
    foreign_keys:
      - { name: items_shop, columns: [shop_id], references: { table: shops, columns: [id] }, on_delete: cascade }
    indexes:
      - { name: items_kind, keys: [kind, { column: shop_id, order: desc }] }
`,
  'search/plain.yaml': `
backend: plain
limits: { width: { maximum: 100 } }
tables:
  items:
    columns:
      body: { type: "bit(\${width})", filled_by: application }
    index_families:
      - name: "items_body_\${kind.code}_\${shop.short}"
        for_each:
          shop: { table: shops, values: { id: "id::text", short: "left(name, 8)" } }
          kind: [{ value: new, code: n }, { value: used, code: u }]
        method: gin
        keys: [body]
        where: "kind = \${kind.value} AND shop_id::text = \${shop.id}"
        worth_rows: { build: "\${min_rows}", keep: half }
`,
  'search/fancy.yaml': `
backend: fancy
extensions: [{ name: fancy, schema: public, min_version: "1.2" }]
tables:
  items:
    columns:
      body: text
    indexes:
      - name: items_body
        method: { name: fancy, extension: fancy, defaults: { fastupdate: on, depth: 3 } }
        options: { fastupdate: off, exact: true }
        keys:
          - { column: body, unless: splitter }
          - { expression: "(body::fancy.\${splitter})", when: splitter }
`,
} as const satisfies Files;

/** Writes files to a directory of their own, gone when the test is over. Without `files`, {@link SHOP}. */
export function writeDesiredState(files: Files = {}, base: Files = SHOP): string {
  const directory = mkdtempSync(join(tmpdir(), 'trueup-desired-state-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const [path, content] of Object.entries({ ...base, ...files })) {
    if (content === null) continue;
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}

/**
 * Writes a desired state of {@link BASE_ONLY}: `shops`, whose key is `id`, and `items`.
 * @param items what is declared of `items`, indented by four; may go on with other tables and views
 */
export const writeShopsAndItems = (items: string): string =>
  writeDesiredState(
    {
      'fleet.yaml': BASE_ONLY,
      'base.yaml': `
tables:
  shops:
    columns: { id: { type: int, nullable: false } }
    primary_key: { name: shops_pkey, columns: [id] }
  items:
${items}`,
    },
    {},
  );

/** Options that say nothing but where the files are. */
export const optionsFor = (directory: string, options: Partial<LoadOptions> = {}): LoadOptions => ({
  directory,
  environment: {},
  backends: {},
  parameters: {},
  phases: null,
  skipExtensionPhases: false,
  ...options,
});

/** Loads {@link SHOP} with some files replaced. */
export const load = (files: Files = {}, options: Partial<LoadOptions> = {}): Promise<DesiredState> =>
  loadDesiredState(optionsFor(writeDesiredState(files), options));

/** A problem as a test looks at it; `where` is relative to the directory. */
export interface FoundProblem {
  readonly code: string;
  readonly message: string;
  readonly where: string;
  readonly remedy: string;
}

/** Loads {@link SHOP} with some files replaced, which must fail, and gives every problem found. */
export async function problemsOf(
  files: Files = {},
  options: Partial<LoadOptions> = {},
): Promise<readonly FoundProblem[]> {
  const directory = writeDesiredState(files);
  try {
    await loadDesiredState(optionsFor(directory, options));
  } catch (error) {
    if (error instanceof TrueupError) return foundIn(error, directory);
    throw error;
  }
  throw new Error('the desired state was accepted');
}

/** Every problem that an error holds. */
export const foundIn = (error: TrueupError, directory: string): readonly FoundProblem[] =>
  [error, ...(error.options.others ?? [])].map(({ code, message, options }) => ({
    code,
    message,
    where: (options.where ?? '').replace(/^.*\/(?=(?:fleet|base|search\/\w+)\.yaml)/u, '').replace(`${directory}/`, ''),
    remedy: options.remedy ?? '',
  }));

/** One of the files of {@link SHOP} with some text replaced. */
export function edited(file: keyof typeof SHOP, from: string, to: string): Files {
  const text: string = SHOP[file];
  if (!text.includes(from)) throw new Error(`${file} does not hold ${from}`);
  return { [file]: text.replace(from, () => to) };
}
