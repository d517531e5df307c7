import fc from 'fast-check';

/** A desired state's document for one table; JSON is YAML, so that it is written as it stands. */
export interface RandomTable {
  readonly name: string;
  readonly columns: Readonly<Record<string, RandomColumn>>;
  readonly primary_key: { readonly name: string; readonly columns: readonly string[] };
  readonly unique: readonly (Entry & { readonly columns: readonly string[] })[];
  readonly checks: readonly (Entry & { readonly expression: string })[];
  readonly foreign_keys: readonly (Entry & {
    readonly columns: readonly string[];
    readonly references: { readonly table: string; readonly columns: readonly string[] };
  })[];
  readonly indexes: readonly Entry[];
}

/** A named entry, with whatever else its document says. */
interface Entry {
  readonly name: string;
  readonly [key: string]: unknown;
}

export interface RandomColumn {
  readonly type: string;
  readonly nullable?: boolean;
  readonly default?: string;
  readonly generated?: string;
  readonly identity?: unknown;
  readonly collation?: string;
}

/** What there is to know of a type to declare, fill and index columns of it. */
interface Kind {
  readonly types: readonly string[];
  readonly defaults: readonly string[];
  /** A value for the n-th row, as SQL. */
  readonly sample: (row: number) => string;
  readonly checks: (column: string) => readonly string[];
  readonly generated: (column: string) => readonly string[];
  readonly predicates: (column: string) => readonly string[];
  readonly collated?: boolean;
}

const number = {
  checks: (c: string) => [`${c} >= 0`, `${c} IN (1, 2, 3)`, `${c} BETWEEN 0 AND 10`, `NOT (${c} = 99)`],
  generated: (c: string) => [`${c} * 2`, `COALESCE(${c}, 0) + 1`],
  predicates: (c: string) => [`${c} > 0`, `${c} IN (1, 2)`, `${c} IS NOT NULL`],
  sample: (row: number) => String(row),
};
const text = {
  checks: (c: string) => [`length(${c}) < 100`, `${c} <> ''`, `${c} IN ('v1', 'v2', 'it''s')`, `${c} ~ '^[a-z]'`],
  generated: (c: string) => [`upper(${c})`, `COALESCE(${c}, '') || '-'`],
  predicates: (c: string) => [`${c} <> 'none'`, `lower(${c}) = 'v1'`, `${c} IN ('v1', 'v2')`],
  sample: (row: number) => `'v${row}'`,
  collated: true,
};
const none = () => [];

export const KINDS: readonly Kind[] = [
  { ...number, types: ['int', 'integer', 'int4'], defaults: ['0', '1 + 2', '-5', "'7'::int"] },
  { ...number, types: ['bigint', 'int8'], defaults: ['1', '10000000000'] },
  { ...number, types: ['smallint'], defaults: ['2'], generated: none },
  { ...number, types: ['numeric(10,2)', 'decimal(10, 2)'], defaults: ['1.50', '0'], generated: none },
  { ...number, types: ['double precision', 'float8'], defaults: ['0.5'], generated: none },
  { ...text, types: ['text'], defaults: ["'x'", "'it''s'", "upper('a')", "'a' || 'b'"] },
  { ...text, types: ['varchar(20)', 'character varying(20)'], defaults: ["'v1'"], generated: none },
  {
    types: ['boolean', 'bool'],
    defaults: ['false', "'t'", 'NOT true'],
    sample: (row) => String(row % 2 === 0),
    checks: (c) => [`${c} OR NOT ${c}`, `${c} IS NOT NULL`],
    generated: none,
    predicates: (c) => [c, `NOT ${c}`, `${c} IS TRUE`],
  },
  {
    types: ['timestamptz', 'timestamp with time zone', 'timestamptz(3)'],
    defaults: ['now()', 'CURRENT_TIMESTAMP', "'2020-01-01 00:00:00+00'"],
    sample: (row) => `'2024-01-0${row}Z'`,
    checks: (c) => [`${c} > '1970-01-01 00:00:00+00'`],
    generated: none,
    predicates: (c) => [`${c} IS NOT NULL`, `${c} > '2020-01-01 00:00:00+00'`],
  },
  {
    types: ['date'],
    defaults: ["'2020-02-29'", 'CURRENT_DATE'],
    sample: (row) => `'2024-01-0${row}'`,
    checks: (c) => [`${c} > '1970-01-01'::date`],
    generated: none,
    predicates: (c) => [`${c} IS NULL`],
  },
  {
    types: ['uuid'],
    defaults: ['gen_random_uuid()', "'00000000-0000-0000-0000-000000000001'"],
    sample: (row) => `'00000000-0000-0000-0000-00000000000${row}'`,
    checks: (c) => [`${c} IS NOT NULL`],
    generated: none,
    predicates: (c) => [`${c} IS NOT NULL`],
  },
  {
    types: ['jsonb'],
    defaults: ["'{}'", `'{"a": [1, 2]}'::jsonb`],
    sample: (row) => `'{"n": ${row}}'`,
    checks: (c) => [`jsonb_typeof(${c}) = 'object'`],
    generated: none,
    predicates: (c) => [`${c} ? 'n'`],
  },
  {
    types: ['text[]'],
    defaults: ["'{}'", "ARRAY['a', 'b']"],
    sample: (row) => `'{v${row}}'`,
    checks: (c) => [`array_length(${c}, 1) < 10`],
    generated: none,
    predicates: (c) => [`${c} <> '{}'`],
  },
];

/** A column with the kind that it was made from; the kind is no part of the document. */
interface Made {
  readonly name: string;
  readonly kind: Kind;
  readonly column: RandomColumn;
}

/** A whole desired state, and how to fill its tables. */
export interface RandomState {
  readonly files: Readonly<Record<string, string>>;
  readonly tables: readonly RandomTable[];
  /** INSERTs for the n-th row of every table, in an order that foreign keys permit; of the schema on the search path. */
  readonly inserts: (row: number) => readonly string[];
}

/** Lazily drawn choices from one list of numbers, so that one arbitrary drives a whole document and shrinks well. */
class Draw {
  #at = 0;
  constructor(private readonly choices: readonly number[]) {}
  upTo(limit: number): number {
    const choice = this.choices[this.#at % Math.max(1, this.choices.length)] ?? 0;
    this.#at += 1;
    return choice % Math.max(1, limit);
  }
  of<T>(list: readonly T[]): T {
    const picked = list[this.upTo(list.length)];
    if (picked === undefined) throw new Error('nothing to draw from');
    return picked;
  }
  chance(percent: number): boolean {
    return this.upTo(100) >= 100 - percent;
  }
}

/** Names that have to be quoted stand among the plain ones. */
const COLUMN_NAMES = ['a', 'B col', 'c_3', 'order', 'e"q', 'f', 'ünï'];
const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** The choices that a desired state is made by. */
export const CHOICES: fc.Arbitrary<readonly number[]> = fc.array(fc.nat(9999), { minLength: 60, maxLength: 60 });

/** A desired state: 2 or 3 tables, a table of rows for a family, and an owned set. */
export const stateOf = (choices: readonly number[], named: Naming = same): RandomState =>
  makeState(new Draw(choices), named);

/** What an index, or the index of a key, is called instead. */
export type Naming = (name: string) => string;
const same: Naming = (name) => name;

/** The names that indexes and keys of random tables may have. */
export const INDEX_NAMES: readonly string[] = ['t0', 't1', 't2'].flatMap((table) =>
  ['idx1', 'idx2', 'idx3', 'key', 'pkey'].map((name) => `${table}_${name}`),
);

/** Random desired states. */
export const randomState: fc.Arbitrary<RandomState> = CHOICES.map((choices) => stateOf(choices));

function makeState(draw: Draw, named: Naming): RandomState {
  const made: { readonly table: RandomTable; readonly columns: readonly Made[]; readonly links: Links }[] = [];
  const count = 2 + draw.upTo(2);
  for (let at = 0; at < count; at += 1)
    made.push(
      makeTable(
        `t${at}`,
        made.map((one) => one.table),
        draw,
        named,
      ),
    );
  const body = draw.of(['text[]', 'jsonb']);
  const files = {
    'fleet.yaml': JSON.stringify({
      version: 1,
      tenants: { having_tables: ['t0', 'shops'] },
      phases: [
        { name: 'base', file: 'base.yaml' },
        {
          name: 'search',
          extension: true,
          backends: 'search/',
          select: { default: 'plain' },
          owns: { columns: ['body', 'more'], methods: ['gin'] },
        },
      ],
    }),
    'base.yaml': JSON.stringify({
      tables: {
        shops: {
          columns: { id: { type: 'bigint', identity: 'always' }, name: { type: 'text', nullable: false } },
          primary_key: { name: 'shops_pkey', columns: ['id'] },
        },
        ...Object.fromEntries(made.map(({ table: { name, ...table } }) => [name, table])),
      },
    }),
    'search/plain.yaml': JSON.stringify({
      backend: 'plain',
      tables: {
        t0: {
          columns: { body: { type: body, filled_by: 'application' }, more: { type: 'text[]' } },
          indexes: [{ name: 't0_more', method: 'gin', keys: ['more'] }],
          index_families: [
            {
              name: 't0_body_${kind.code}_${shop.id}',
              for_each: {
                shop: { table: 'shops', values: { id: 'id::text', name: 'name' } },
                kind: [
                  { value: 'new', code: 'n' },
                  { value: "o'ld", code: 'o' },
                ],
              },
              method: { name: 'gin', defaults: { fastupdate: 'on' } },
              keys: ['body'],
              where: 'tag = ${kind.value} AND shop = ${shop.name}',
              ...(draw.chance(30) ? { options: { fastupdate: 'off' } } : {}),
            },
          ],
        },
      },
    }),
  };
  return {
    files,
    tables: made.map((one) => one.table),
    inserts: (row) => [
      `INSERT INTO shops (name) VALUES ('shop ${row} o''brien')`,
      ...made.map(({ table, columns, links }) => insert(table, columns, links, row)),
    ],
  };
}

type Links = Readonly<Record<string, string>>;

function makeTable(name: string, others: readonly RandomTable[], draw: Draw, named: Naming) {
  const made: Made[] = [];
  const links: Record<string, string> = {};
  const [numbers] = KINDS;
  if (numbers === undefined) throw new Error('no kinds');
  const id = draw.of([
    {
      type: 'bigint',
      identity: draw.of(['always', 'by default', { kind: 'always', start: 10, increment: 2, cache: 5 }]),
    },
    { type: 'uuid', default: 'gen_random_uuid()', nullable: false },
    { type: 'int', identity: 'by default' },
  ]);
  const columns: Record<string, RandomColumn> = { id };
  for (const column of COLUMN_NAMES.slice(0, 2 + draw.upTo(4))) {
    const kind = draw.of(KINDS);
    const base = { type: draw.of(kind.types) };
    const source = made.find((one) => one.column.generated === undefined && one.kind.generated('x').length > 0);
    let document: RandomColumn = base;
    if (source !== undefined && draw.chance(25))
      document = {
        type: source.kind === KINDS[5] ? 'text' : 'bigint',
        generated: `(${draw.of(source.kind.generated(quote(source.name)))})`,
      };
    else if (draw.chance(50)) document = { ...base, default: draw.of(kind.defaults), nullable: draw.chance(60) };
    else if (draw.chance(30)) document = { ...base, nullable: false };
    if (document === base && kind.collated === true && draw.chance(30)) document = { ...base, collation: 'C' };
    columns[column] = document;
    made.push({ name: column, kind, column: document });
  }
  if (name === 't0') {
    columns.tag = { type: 'text', nullable: false, default: "'new'" };
    columns.shop = { type: 'text' };
  }
  const plain = made.filter((one) => one.column.generated === undefined);
  const pick = () => (plain.length === 0 ? null : draw.of(plain));
  const checks: { name: string; expression: string }[] = [];
  const unique: RandomTable['unique'][number][] = [];
  const foreign: RandomTable['foreign_keys'][number][] = [];
  for (let at = draw.upTo(3); at > 0; at -= 1) {
    const one = pick();
    if (one === null) break;
    const two = pick() ?? one;
    const single = draw.of(one.kind.checks(quote(one.name)));
    const expression = draw.chance(30) ? `(${single}) AND ${quote(two.name)} IS NOT NULL` : single;
    // A nullable column's check is never IS NOT NULL alone: rows without a value are legal there.
    checks.push({ name: `${name}_check${at}`, expression });
  }
  if (draw.chance(60)) {
    const columnsOf = [...new Set([pick()?.name ?? 'id', ...(draw.chance(40) ? [pick()?.name ?? 'id'] : [])])];
    const include = columnsOf.includes('id') || !draw.chance(30) ? {} : { include: ['id'] };
    unique.push({
      name: named(`${name}_key`),
      columns: columnsOf,
      ...include,
      ...(draw.chance(30) ? { nulls_not_distinct: true } : {}),
      ...(draw.chance(25) ? { deferrable: draw.of(['initially immediate', 'initially deferred']) } : {}),
    });
  }
  for (const other of others) {
    if (!draw.chance(55)) continue;
    const column = `${other.name}_id`;
    columns[column] = { type: String(other.columns.id?.type), nullable: draw.chance(70) };
    links[column] = other.name;
    foreign.push({
      name: `${name}_${other.name}_fkey`,
      columns: [column],
      references: { table: other.name, columns: ['id'] },
      ...(draw.chance(60) ? { on_delete: draw.of(['cascade', 'restrict', 'no action']) } : {}),
      ...(draw.chance(30) ? { on_update: draw.of(['cascade', 'restrict']) } : {}),
      ...(draw.chance(30) ? { deferrable: draw.of(['initially immediate', 'initially deferred']) } : {}),
      ...(draw.chance(20) ? { match: 'full' } : {}),
    });
  }
  const indexes: Entry[] = [];
  for (let at = draw.upTo(4); at > 0; at -= 1) indexes.push(makeIndex(named(`${name}_idx${at}`), made, draw));
  const table: RandomTable = {
    name,
    columns,
    primary_key: { name: named(`${name}_pkey`), columns: ['id'] },
    unique,
    checks,
    foreign_keys: foreign,
    indexes,
  };
  return { table, columns: made, links };
}

function makeIndex(name: string, columns: readonly Made[], draw: Draw): Entry {
  const sortable = columns.filter((one) => one.column.type !== 'jsonb');
  const first = draw.of(sortable.length > 0 ? sortable : [null]);
  if (first === null) return { name, keys: ['id'] };
  const predicate =
    draw.chance(35) && first.column.generated === undefined
      ? { where: draw.of(first.kind.predicates(quote(first.name))) }
      : {};
  if (first.column.type === 'text[]' && draw.chance(50))
    return { name, method: { name: 'gin', defaults: { fastupdate: 'on' } }, keys: [first.name], ...predicate };
  if (draw.chance(15)) return { name, method: 'hash', keys: [first.name], ...predicate };
  if (draw.chance(10)) return { name, method: 'brin', keys: ['id'], options: { pages_per_range: 32 } };
  const expression =
    first.kind.collated === true && first.column.generated === undefined
      ? `lower(${quote(first.name)})`
      : /^(?:int|bigint)/u.test(first.column.type)
        ? `(${quote(first.name)} + 1)`
        : null;
  const key = {
    ...(expression !== null && draw.chance(40) ? { expression } : { column: first.name }),
    ...(draw.chance(40) ? { order: draw.of(['asc', 'desc']) } : {}),
    ...(draw.chance(30) ? { nulls: draw.of(['first', 'last']) } : {}),
    ...(first.column.type === 'text' && draw.chance(25) ? { opclass: 'text_pattern_ops' } : {}),
  };
  const second = draw.chance(40) ? [{ column: 'id', order: draw.of(['asc', 'desc']) }] : [];
  return {
    name,
    keys: [key, ...second],
    ...(draw.chance(20) ? { unique: true } : {}),
    ...(second.length === 0 && draw.chance(25) ? { include: ['id'] } : {}),
    ...(draw.chance(25) ? { options: { fillfactor: 70 } } : {}),
    ...predicate,
  };
}

function insert(table: RandomTable, columns: readonly Made[], links: Links, row: number): string {
  const own = columns.filter((one) => one.column.generated === undefined);
  const names = own.map((one) => quote(one.name));
  const values = own.map((one) => one.kind.sample(row));
  for (const [column, other] of Object.entries(links)) {
    names.push(quote(column));
    values.push(`(SELECT id FROM ${other} LIMIT 1)`);
  }
  if (names.length === 0) return `INSERT INTO ${table.name} DEFAULT VALUES`;
  return `INSERT INTO ${table.name} (${names.join(', ')}) VALUES (${values.join(', ')})`;
}
