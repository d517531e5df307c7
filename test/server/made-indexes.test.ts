import { describe, expect, it } from 'vitest';
import type { TrueupError } from '../../src/trueup-error.js';
import { changesOf } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const on = fleetOnServer();

const state = (more: string, extension = '', column = '') =>
  temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [sales] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': `
${extension}
tables:
  sales:
    columns: { number: int, word: text, short: varchar(9), at: timestamptz, day: date, notes: json, list: "int[]", span: int4range${column} }
${more}
`,
  });
const index = (text: string, extension?: string) => state(`    indexes: [{ name: sales_x, ${text} }]`, extension);
const TRGM = 'extensions: [{ name: pg_trgm, schema: public }]';

let made = 0;
async function twoTenants() {
  const schemas = ['a', 'b'].map((one) => `t${made}_${one}`);
  made += 1;
  await on.fleet.provision(schemas, { directory: state('') });
  return schemas;
}

/** What a plan of two tenants says, which their apply says as well, with nothing done. */
async function refusal(directory: string) {
  const schemas = await twoTenants();
  const told = async (run: () => Promise<unknown>) => {
    const error = await run().then(
      () => null,
      (thrown: TrueupError) => thrown,
    );
    expect(error?.code).toBe('DESIRED_STATE_INVALID');
    expect(error?.options.where).toMatch(/, phase base, .*base\.yaml:[56]:\d+$/u);
    return error?.message;
  };
  const planned = await told(() => on.fleet.plan({ directory, schemas }));
  on.fleet.forget();
  expect(await told(() => on.fleet.apply({ directory, schemas }))).toBe(planned);
  expect(on.fleet.statements.filter((sql) => /^\s*(?:ALTER|CREATE)/iu.test(sql))).toEqual([]);
  return planned;
}

async function isMade(directory: string) {
  const schemas = await twoTenants();
  expect((await on.fleet.apply({ directory, schemas })).tenants).toMatchObject(
    schemas.map(() => ({ outcome: 'converged', error: null })),
  );
  expect(changesOf(await on.fleet.plan({ directory, schemas }), schemas[0] ?? '')).toEqual([]);
}

describe('an operator class that no tenant’s index could be of is refused once', () => {
  it.each([
    ['keys: [{ column: word, opclass: nosuch_ops }]', 'the method btree has no operator class nosuch_ops'],
    // Nothing declares its extension, and sessions have no search_path.
    [
      'method: gin, keys: [{ column: word, opclass: gin_trgm_ops }]',
      'the method gin has no operator class gin_trgm_ops',
    ],
    [
      'keys: [{ column: word, opclass: inet_ops }, number]',
      'the method btree has no operator class inet_ops for sales.word, which is text',
    ],
    ['method: gin, keys: [word]', 'the method gin has no default operator class for sales.word, which is text'],
    ['keys: [notes]', 'the method btree has no default operator class for sales.notes, which is json'],
    ['method: gist, keys: [list]', 'the method gist has no default operator class for sales.list, which is int[]'],
  ])('%s', async (text, message) => {
    expect(await refusal(index(text))).toBe(`index "sales_x" cannot be: ${message}`);
  });

  it('of a method that it is not of', async () => {
    expect(await refusal(index('keys: [{ column: word, opclass: public.gin_trgm_ops }]', TRGM))).toBe(
      'index "sales_x" cannot be: the method btree has no operator class gin_trgm_ops',
    );
  });

  it('of a constraint’s own index', async () => {
    expect(await refusal(state('    unique: [{ name: sales_notes, columns: [notes] }]'))).toBe(
      'constraint "sales_notes" cannot be: the method btree has no default operator class for sales.notes, which is json',
    );
  });

  it.each([
    ['keys: [{ column: short, opclass: text_pattern_ops }, { column: word, opclass: varchar_ops }, list, span]'],
    ['method: gin, keys: [list]'],
    ['method: gist, keys: [span]'],
    ['method: brin, keys: [short, at]'],
    ['method: gin, keys: [{ column: short, opclass: gin_trgm_ops }]', TRGM],
  ])('not one that PostgreSQL takes: %s', async (text, extension = '') => {
    await isMade(index(text, extension));
  });

  it('nor is it asked about where no index is to be built', async () => {
    const [schema = ''] = await twoTenants();
    const directory = index('keys: [word]');
    await on.fleet.apply({ directory, schemas: [schema] });
    on.fleet.forget();
    expect(changesOf(await on.fleet.plan({ directory, schemas: [schema] }), schema)).toEqual([]);
    expect(on.fleet.statements.filter((sql) => sql.includes("'no default'"))).toEqual([]);
  });
});

describe('what is not immutable is refused once where PostgreSQL takes nothing else', () => {
  const NOT = 'may give another result at another time or in another session, and PostgreSQL takes none such there';
  it.each([
    ['keys: [{ expression: date(at) }]', 'date(timestamptz)'],
    ['keys: [{ expression: "at::date" }]', 'timestamptz::date'],
    ['keys: [{ expression: "lower(at::text)" }]', 'timestamptz::text'],
    [`keys: [{ expression: "date_trunc('day', at)" }]`, 'date_trunc(…, timestamptz)'],
    ['keys: [{ expression: extract(epoch from at) }]', 'extract(…, timestamptz)'],
    ['keys: [{ expression: "concat(word, number)" }]', 'concat(text, int4)'],
    ['keys: [{ expression: "at + \'1 day\'::interval" }]', 'timestamptz + interval'],
    ['keys: [word], where: at > now()', 'now()'],
    ['keys: [word], where: day > CURRENT_DATE', 'CURRENT_DATE'],
    ['keys: [word], where: day < at', 'date < timestamptz'],
    ['keys: [word], where: "day > \'2024-01-01\'::text::date"', 'text::date'],
  ])('%s', async (text, called) => {
    expect(await refusal(index(text))).toBe(`index "sales_x" cannot be: ${called} ${NOT}`);
  });

  it('in a generated column', async () => {
    const directory = state('', '', ', made: { type: text, generated: "word || now()::text" }');
    expect(await refusal(directory)).toBe(`column "made" cannot be: now() ${NOT}`);
  });

  it.each([
    [`keys: [{ expression: "(at AT TIME ZONE 'UTC')::date" }]`],
    [`keys: [{ expression: "date_trunc('day', at AT TIME ZONE 'UTC')" }]`],
    [
      `keys: [{ expression: "day + '1 day'::interval" }, { expression: "lower(word || short)" }, { expression: "number::text" }]`,
    ],
    [
      `keys: [word], where: "at > '2024-01-01' AND day < '2024-01-01'::date AND number BETWEEN 1 AND 5 AND word LIKE 'a%'"`,
    ],
    [`keys: [{ expression: "coalesce(short, 'x')" }, { expression: "md5(word)" }, { expression: "number % 7" }]`],
    // What is made of NULL is NULL, and a text in the place of a type's argument is a constant of it.
    [`keys: [{ expression: "coalesce(day, NULL::timestamptz::date)" }], where: "at > timestamptz('2024-01-01')"`],
  ])('not %s', async (text) => {
    await isMade(index(text));
  });
});
