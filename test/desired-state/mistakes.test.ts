import { describe, expect, it } from 'vitest';
import { edited, type Files, load, problemsOf, SHOP } from '../support/desired-state-fixture.js';

/** What is said of a file with a mistake in it: where, what, and what to do. */
async function saidOf(files: Files): Promise<readonly (readonly [where: string, message: string, remedy: string])[]> {
  return (await problemsOf(files)).map(({ where, message, remedy }) => [where, message, remedy]);
}

const KIND = 'kind: { type: text, default: "\'new\'" }';
const column = (text: string) => edited('base.yaml', KIND, `${KIND}\n      x: ${text}`);
const INDEX = '{ name: items_kind, keys: [kind, { column: shop_id, order: desc }] }';
const index = (text: string) => edited('base.yaml', INDEX, `{ name: items_kind, ${text} }`);

describe('of a column', () => {
  it.each([
    ['pending', '"pending"', `for a text write "'pending'"`],
    ['yes', '"yes"', `for a text write "'yes'"`],
    ['lower(kind)', '"kind"', 'texts stand in single quotes'],
  ])('the default %s is a word without quotes, which SQL takes for a column', async (text, word, remedy) => {
    expect(await saidOf(column(`{ type: text, default: ${text} }`))).toEqual([
      ['base.yaml:13:7', `the default of column "x" names a column, ${word}, which no default can`, remedy],
    ]);
  });

  it.each([
    ['lower(x)', 'itself'],
    ['lower(y)', '"y", which is generated too'],
  ])('the expression %s cannot generate it', async (expression, from) => {
    const text = `{ type: text, generated: ${expression} }\n      y: { type: text, generated: upper(kind) }`;
    expect(await saidOf(column(text))).toEqual([
      ['base.yaml:13:7', `column "x" is generated from ${from}`, 'let it name columns that are not generated'],
    ]);
  });

  it.each([
    ['timestamptz', "'now'", 'now', 'now()'],
    ['date', "'today'", 'today', 'CURRENT_DATE'],
    ['timestamp', "' Tomorrow 04:05'", 'Tomorrow', 'CURRENT_DATE + 1'],
    ['timestamptz', "'yesterday'::timestamptz", 'yesterday', 'CURRENT_DATE - 1'],
    ['text', "CAST(date 'now' AS text)", 'now', 'now()'],
    ['timestamp', "'now' AT TIME ZONE 'utc'", 'now', 'now()'],
    ['timestamptz[]', "'{now}'", 'now', 'now()'],
  ])('a %s cannot have the default %s, a moment that PostgreSQL would store', async (type, text, word, meant) => {
    expect(await saidOf(column(`{ type: '${type}', default: "${text}" }`))).toEqual([
      [
        'base.yaml:13:7',
        `the default of column "x" holds '${word}', for which PostgreSQL stores the moment at which it is made`,
        `write ${meant}`,
      ],
    ]);
  });

  it.each([
    ['timestamptz', 'now()'],
    ['timestamptz', "('now'::text)::timestamptz"],
    ['date', "'infinity'"],
    ['text', "'now'"],
    ['text', "'today'::text"],
  ])('a %s can have the default %s', async (type, text) => {
    const { tables } = await load(column(`{ type: ${type}, default: "${text}" }`));
    expect(tables[1]?.columns.map(({ name }) => name)).toContain('x');
  });

  it('a database that fills it from nothing is refused', async () => {
    expect(await saidOf(column('{ type: text, filled_by: database }'))).toEqual([
      [
        'base.yaml:13:35',
        'nothing says how the database fills column "x"',
        'add default, generated or identity, or say who fills it',
      ],
    ]);
  });

  it.each(['identity: always', 'serial: true'])('nullable: true is not ignored beside %s', async (numbered) => {
    expect(await saidOf(column(`{ type: int, nullable: true, ${numbered} }`))).toEqual([
      ['base.yaml:13:33', 'column "x" is numbered, so it is NOT NULL', 'remove nullable'],
    ]);
  });

  it.each([
    ['minimum: 10, maximum: 5', 'minimum 10, start 10, maximum 5'],
    ['start: 100, maximum: 5', 'minimum 1, start 100, maximum 5'],
    ['maximum: 100000', 'minimum 1, start 1, maximum 100000'],
    ['minimum: 3, maximum: 3', 'minimum 3, start 3, maximum 3'],
  ])('identity numbers that do not fit are refused: %s', async (numbers, told) => {
    expect(await saidOf(column(`{ type: smallint, identity: { kind: always, ${numbers} } }`))).toEqual([
      [
        'base.yaml:13:38',
        `the numbers of an identity do not fit: ${told}`,
        "let minimum, start and maximum ascend, within smallint's -32768 to 32767",
      ],
    ]);
  });

  it('an identity of which sessions take no number is refused', async () => {
    expect(await saidOf(column('{ type: int, identity: { kind: always, cache: 0 } }'))).toMatchObject([
      ['base.yaml:13:56', 'a session takes at least 1 number at once', 'give 1 or more'],
    ]);
  });

  it('the sequence of a serial one takes a name that no other object can have', async () => {
    const table = `\n  items_x_seq:\n    columns: { a: int }\n`;
    const files = column('{ type: bigint, serial: true }');
    expect(await saidOf({ 'base.yaml': `${String(files['base.yaml'])}${table}` })).toEqual([
      [
        'base.yaml:13:7',
        expect.stringMatching(/^sequence of the column "items_x_seq" has the name of the table/u),
        'rename one',
      ],
    ]);
  });
});

describe('of an index', () => {
  it.each([
    [
      'method: gni, keys: [kind]',
      'is of the method "gni", which PostgreSQL has not by itself',
      /^its own are btree, .*: method: \{ name: gni, extension: … \}$/u,
    ],
    [
      'method: wonder, keys: [kind]',
      'is of the method "wonder", which PostgreSQL has not by itself',
      /^its own are btree/u,
    ],
    [
      'method: { name: fancy, extension: fnacy }, keys: [kind]',
      'takes its method from the extension "fnacy", which extensions does not list',
      /^list it/u,
    ],
    [
      'method: gin, unique: true, keys: [kind]',
      'asks for a unique index, which the method gin has not',
      /^leave it out/u,
    ],
    [
      'method: gin, keys: [{ column: kind, order: desc }]',
      'asks for an order of keys, which the method gin has not',
      /^leave it out/u,
    ],
    [
      'method: brin, include: [id], keys: [kind]',
      'asks for included columns, which the method brin has not',
      /^leave it out/u,
    ],
    ['method: hash, keys: [kind, id]', 'asks for several keys, which the method hash has not', /^leave it out/u],
    [
      `keys: [${Array.from({ length: 33 }, () => 'kind').join(', ')}]`,
      'has 33 columns; an index has at most 32',
      /^leave some out/u,
    ],
  ])('the server would refuse %s', async (text, message, remedy) => {
    expect(await saidOf(index(text))).toEqual([
      ['base.yaml:17:9', `index "items_kind" ${message}`, expect.stringMatching(remedy)],
    ]);
  });

  it.each([
    [
      'nulls_not_distinct: true, keys: [kind]',
      '17:9',
      'nulls_not_distinct says nothing of an index that is not unique',
    ],
    ['keys: [{ column: kind, opclass_options: { a: 1 } }]', '17:36', 'opclass_options stand without an operator class'],
  ])('nothing is ignored: %s', async (text, place, message) => {
    expect(await saidOf(index(text))).toMatchObject([[`base.yaml:${place}`, message, expect.any(String)]]);
  });

  it.each([
    ['lower(kind)', 'an expression is written { expression: "lower(kind)" }'],
    ['kind DESC', 'write { column: kind, order: desc }'],
    ['knd', 'did you mean "kind"?'],
  ])('the key %s is no column, and what to write is said', async (key, remedy) => {
    expect(await saidOf(index(`keys: ["${key}"]`))).toEqual([
      ['base.yaml:17:9', `index "items_kind" names the column "${key}", which "items" does not have`, remedy],
    ]);
  });

  it('a key whose expression ends in COLLATE is refused: PostgreSQL keeps that beside it, and it would be drift for ever', async () => {
    expect(await saidOf(index(`keys: [{ expression: 'lower(kind) COLLATE "C"' }]`))).toEqual([
      [
        'base.yaml:17:9',
        'a key of index "items_kind" ends in COLLATE, which PostgreSQL takes for the key’s and not for its expression’s',
        'give it as the collation of the key',
      ],
    ]);
    await expect(saidOf(index(`keys: [{ expression: 'lower(kind COLLATE "C")', collation: C }]`))).rejects.toThrow(
      'accepted',
    );
  });

  it('an extension that is misspelt has a near one that is listed', async () => {
    const files = edited('search/fancy.yaml', '{ name: fancy, extension: fancy', '{ name: fancy, extension: fancie');
    const [said] = await problemsOf(files, { backends: { search: 'fancy' } });
    expect(said).toMatchObject({
      message: 'index "items_body" takes its method from the extension "fancie", which extensions does not list',
      remedy: 'did you mean "fancy"?',
    });
  });
});

describe('of fleet.yaml', () => {
  const release = (text: string) => ({ 'fleet.yaml': `${SHOP['fleet.yaml']}release: ${text}` });

  it('a release table or column that is nearly a declared one is refused: no stamp would be read, and all accepted', async () => {
    expect(await saidOf(release('{ table: shps, column: name, accepts: [a] }'))).toEqual([
      [
        'fleet.yaml:23:19',
        'the release is to stand in the table "shps", which no file declares',
        'did you mean "shops"?',
      ],
    ]);
    expect(await saidOf(release('{ table: shops, column: nmae, accepts: [a] }'))).toEqual([
      [
        'fleet.yaml:23:34',
        'the release is to stand in the column "nmae", which "shops" does not have',
        'did you mean "name"?',
      ],
    ]);
  });

  it('a LIKE pattern that ends in a backslash is refused: the server would, in the midst of a run', async () => {
    const text = SHOP['fleet.yaml']
      .replace('having_tables: [shops, items]', String.raw`like: 'a\', exclude: ['b%', 'c\\', 'd\\\']`)
      .replace('extension: true', String.raw`keep: ['e\']`);
    const said = await saidOf({ 'fleet.yaml': text + String.raw`overrides: [{ schemas: ['f\'] }]` });
    const about = (letter: string) =>
      expect.stringMatching(new RegExp(`^the pattern "${letter}.* ends in a backslash`, 'u'));
    expect(said.map(([where, message]) => [where, message])).toEqual([
      ['fleet.yaml:4:70', about('a')],
      ['fleet.yaml:4:99', about('d')],
      ['fleet.yaml:8:12', about('e')],
      ['fleet.yaml:23:25', about('f')],
    ]);
  });

  it('an alias of a value that is not allowed is refused before anyone uses it', async () => {
    expect(await saidOf(edited('fleet.yaml', 'plain: simple', 'plain: simpel'))).toEqual([
      [
        'fleet.yaml:20:23',
        'parameter "splitter": the alias "plain" stands for "simpel", which is not allowed',
        expect.stringContaining('allowed: simple, icu'),
      ],
    ]);
  });
});

describe('of build_settings', () => {
  it('what no build looks at is refused: it would change whose rights it runs with, or fail each one', async () => {
    const settings =
      '{ maintenance_work_mme: 1GB, role: postgres, lock_timeout: 0, maintenance_work_mem: 1GB, fancy.x: 1 }';
    const said = await saidOf({ 'search/plain.yaml': `${SHOP['search/plain.yaml']}build_settings: ${settings}` });
    expect(said).toEqual([
      [
        'search/plain.yaml:17:19',
        '"maintenance_work_mme" is no setting of index builds',
        'did you mean "maintenance_work_mem"?',
      ],
      ['search/plain.yaml:17:46', '"role" is no setting of index builds', expect.stringMatching(/^there are: /u)],
      ['search/plain.yaml:17:62', '"lock_timeout" is no setting of index builds', expect.any(String)],
    ]);
  });
});

describe('of the YAML', () => {
  it('an empty text, list or mapping is called empty, and a value that is missing is asked for', async () => {
    expect(await saidOf(column('{ type: text, default: "" }'))).toEqual([
      ['base.yaml:13:33', 'tables.items.columns.x.default is empty', 'correct it, or leave it out'],
    ]);
    expect(await saidOf(column('{ type: text, default: null }'))).toMatchObject([
      ['base.yaml:13:33', expect.stringContaining('but is empty'), 'give it a value, or leave it out'],
    ]);
  });

  it('a key that is given twice is named, and found, where the first one has no value', async () => {
    expect(await saidOf(edited('base.yaml', '  items:\n', '  items:\n  items:\n'))).toEqual([
      ['base.yaml:8:3', 'the key "items" is given twice', 'keep one of the two'],
    ]);
  });

  it('lines may end as old Macs ended them', async () => {
    const files = edited('base.yaml', 'column: shop_id', 'column: shp_id');
    expect(await saidOf({ 'base.yaml': String(files['base.yaml']).replaceAll('\n', '\r') })).toEqual(
      await saidOf(files),
    );
  });

  it('the schema of a tenant is called by its placeholder where it stands wrong', async () => {
    expect(await saidOf(column('text${schema}'))).toEqual([
      ['base.yaml:13:14', 'not exactly one type: syntax error at or near "${schema}"', 'write exactly one type'],
    ]);
  });

  it('no text holds a NUL character, wherever it stands', async () => {
    expect(
      await saidOf(edited('search/fancy.yaml', 'schema: public,', 'schema: public, schemas: ["a\\u0000"],')),
    ).toEqual([['search/fancy.yaml:3:55', 'a text holds a NUL character', 'remove it']]);
  });

  it('a character that cannot be seen is spelt out', async () => {
    expect(await saidOf(index('keys: ["\u200bkind"]'))).toMatchObject([
      [expect.any(String), expect.stringContaining('"\\u200bkind"'), 'did you mean "kind"?'],
    ]);
  });

  it('a table that a backend misspells is one error, not one for each column', async () => {
    expect(await saidOf(edited('search/plain.yaml', '  items:', '  itmes:'))).toEqual([
      [
        'search/plain.yaml:5:3',
        '"itmes" is no table of base: a backend adds to tables, it brings none',
        'did you mean "items"?',
      ],
    ]);
  });
});

describe('a moment that PostgreSQL would store', () => {
  const more = (text: string) => edited('base.yaml', KIND, `${KIND}\n      due: date\n    ${text}`);
  const constraint = (expression: string) => more(`checks: [{ name: items_due, expression: "${expression}" }]`);

  it.each(["due < 'today'", "due IN ('2024-01-01', 'today')", "'today' < due", "due <> date 'today'"])(
    'is refused in a check: %s',
    async (expression) => {
      expect(await saidOf(constraint(expression))).toEqual([
        [
          'base.yaml:14:14',
          `constraint "items_due" holds 'today', for which PostgreSQL stores the moment at which it is made`,
          'write CURRENT_DATE',
        ],
      ]);
    },
  );

  it.each([
    "kind <> 'today'",
    "due::text <> 'today'",
    'due < CURRENT_DATE',
    "due || 'today' <> kind",
    // Another's operator or function may take a text.
    "due OPERATOR(app.=) 'today'",
    "app.timezone(kind, 'today') IS NOT NULL",
  ])('%s is none', async (expression) => {
    const { tables } = await load(constraint(expression));
    expect(tables[1]?.constraints.map(({ name }) => name)).toContain('items_due');
  });

  it.each([`keys: [kind], where: "due > 'now'"`, `keys: [{ expression: "due - 'now'" }]`])(
    'is refused in an index, which cannot depend on it: %s',
    async (text) => {
      const due = String(index(text)['base.yaml']).replace(KIND, `${KIND}\n      due: date`);
      expect((await saidOf({ 'base.yaml': due })).map(([, ...told]) => told)).toEqual([
        [
          `index "items_kind" holds 'now', for which PostgreSQL stores the moment at which it is made`,
          'name a fixed date: it cannot depend on the moment',
        ],
      ]);
    },
  );
});

describe('of a foreign key onto a table that all tenants share', () => {
  const onto = (references: string) =>
    saidOf(edited('base.yaml', 'references: { table: shops, columns: [id] }', `references: { ${references} }`));
  it.each([
    [
      'as many columns as it has',
      'schema: public, table: kinds, columns: [a, b]',
      'foreign key "items_shop" has 1 columns and references 2',
    ],
    [
      'a schema that is the system’s',
      'schema: pg_catalog, table: pg_class, columns: [oid]',
      'foreign key "items_shop" is onto the schema "pg_catalog", which is the system\'s',
    ],
    [
      'a schema that does not differ by tenant',
      'schema: "${schema}", table: kinds, columns: [code]',
      '${schema} stands where no SQL is: a name cannot differ by tenant',
    ],
  ])('it needs %s', async (_, references, message) => {
    expect((await onto(references)).map(([, told]) => told)).toEqual([message]);
  });
});
