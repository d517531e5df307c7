import { describe, expect, it } from 'vitest';
import { edited, load, problemsOf, SHOP } from '../support/desired-state-fixture.js';

describe('a parameter', () => {
  it('is given by flag, override, environment or default, in this order', async () => {
    const environment = { SHOP_MIN_ROWS: '5' };
    const of = async (options: object) => (await load({}, options)).parameters.min_rows;
    expect(await of({})).toEqual({ value: 0, source: 'default', forNewOnly: false });
    expect(await of({ environment })).toEqual({ value: 5, source: 'environment', forNewOnly: false });
    expect(await of({ environment, parameterOverrides: { min_rows: 6 } })).toMatchObject({
      value: 6,
      source: 'override',
    });
    expect(await of({ environment, parameterOverrides: { min_rows: 6 }, parameters: { min_rows: '7' } })).toMatchObject(
      { value: 7, source: 'flag' },
    );
  });

  it('with a default for new objects says so until a value is given', async () => {
    expect((await load()).parameters.width).toEqual({ value: 8, source: 'default', forNewOnly: true });
    expect((await load({}, { parameters: { width: '8' } })).parameters.width).toEqual({
      value: 8,
      source: 'flag',
      forNewOnly: false,
    });
  });

  it('counts a variable set to nothing as unset', async () => {
    const state = await load(
      {},
      { environment: { SHOP_MIN_ROWS: '', SHOP_SPLITTER: '', SHOP_SEARCH: '', SHOP_SCHEMA: '' } },
    );
    expect(state.parameters).toMatchObject({
      min_rows: { value: 0, source: 'default' },
      splitter: { value: null, source: 'default' },
    });
    expect(state.phases[1]?.backend).toMatchObject({ value: 'plain', source: 'default' });
    expect(state.tenants.baseSchema).toBe('public');
  });

  it.each([
    ['width', '0', 'is too small', 'a whole number of at least 1'],
    ['width', '8; DROP TABLE x', 'is not a whole number', 'a whole number of at least 1'],
    ['width', '', 'is not a whole number', 'a whole number of at least 1'],
    ['width', '1e3', 'is not a whole number', 'a whole number of at least 1'],
    ['width', '99999999999999999999', 'is not a whole number', 'a whole number of at least 1'],
    ['splitter', 'klingon', 'is not allowed', 'simple, icu, what matches grams'],
    ['splitter', 'icu;DROP TABLE x', 'is not allowed', 'simple, icu'],
    ['splitter', 'icu\n', 'is not allowed', 'simple, icu'],
    ['splitter', 'xgrams(1,2)', 'is not allowed', 'simple, icu'],
    ['splitter', 'grams(3,2)', 'has numbers that do not ascend', 'its numbers ascending'],
    ['splitter', 'a'.repeat(2_000), 'is longer than 1000 characters', 'a shorter value'],
  ])('B14, S5: %s %j is refused, with what is allowed', async (name, value, problem, allowed) => {
    const files = { 'fleet.yaml': SHOP['fleet.yaml'].replace(', no-spaces', '') };
    const [found, ...others] = await problemsOf(files, { parameters: { [name]: value } });
    expect(found).toMatchObject({ code: 'INVALID_PARAMETER', where: `--set ${name}` });
    expect(found?.message).toContain(problem);
    expect(found?.remedy).toContain(allowed);
    expect(others).toEqual([]);
  });

  it('of the environment that is refused is named by its variable', async () => {
    expect(await problemsOf({}, { environment: { SHOP_SPLITTER: 'klingon' } })).toMatchObject([
      { code: 'INVALID_PARAMETER', where: 'environment variable SHOP_SPLITTER' },
    ]);
  });

  it('that does not exist is refused with the nearest one; what every object inherits is none', async () => {
    expect(await problemsOf({}, { parameters: { widht: '1' } })).toMatchObject([
      { code: 'INVALID_PARAMETER', remedy: 'did you mean "width"?' },
    ]);
    expect(await problemsOf({}, { parameters: { constructor: '1' } })).toMatchObject([{ code: 'INVALID_PARAMETER' }]);
    expect(await problemsOf(edited('search/plain.yaml', '${width}', '${constructor}'))).toMatchObject([
      { message: 'there is no parameter "constructor"' },
    ]);
  });

  it.each([
    ['grams(2,3)', 'grams(2,3)'],
    [' Grams( 2, 3 ) ', 'grams(2,3)'],
    ['PLAIN', 'simple'],
    ['', null],
  ])('of SQL text is normalised, then its aliases apply: %j', async (given, value) => {
    expect((await load({}, { parameters: { splitter: given } })).parameters.splitter?.value).toBe(value);
  });

  it.each([
    ['pattern: ', "pattern: '(' #", 'pattern is not a regular expression'],
    ["    values: [simple, icu]\n    pattern: 'grams\\(\\d{1,3},\\d{1,3}\\)'\n", '', 'must say what it may hold'],
  ])('that could never be right is refused where it is declared', async (from, to, message) => {
    const found = await problemsOf(edited('fleet.yaml', from, to));
    expect(found[0]?.code).toBe('DESIRED_STATE_INVALID');
    expect(found[0]?.message).toContain(message);
    expect(found[0]?.where).toMatch(/^fleet\.yaml:\d+:\d+$/u);
  });

  it('whose default is not allowed is refused where it is declared', async () => {
    expect(await problemsOf(edited('fleet.yaml', 'default: 8', 'default: 0'))).toMatchObject([
      { code: 'DESIRED_STATE_INVALID', where: 'fleet.yaml:13:48' },
    ]);
  });
});

describe('an override', () => {
  const withOverride = (entry: string) =>
    edited('fleet.yaml', '\nparameters:', `\noverrides:\n  - ${entry}\nparameters:`);

  it('holds backends that exist and values of the declared type', async () => {
    const { overrides } = await load(
      withOverride("{ schemas: ['canary\\_%'], backends: { search: fancy }, parameters: { width: 16 } }"),
    );
    expect(overrides).toEqual([{ schemas: ['canary\\_%'], backends: { search: 'fancy' }, parameters: { width: 16 } }]);
  });

  it('that names what does not exist, or a value that is not allowed, is refused', async () => {
    expect(await problemsOf(withOverride('{ schemas: [a], backends: { search: fency } }'))).toMatchObject([
      { code: 'UNKNOWN_BACKEND' },
    ]);
    expect(await problemsOf(withOverride('{ schemas: [a], parameters: { widht: 1 } }'))).toMatchObject([
      { remedy: 'did you mean "width"?' },
    ]);
    expect(await problemsOf(withOverride('{ schemas: [a], parameters: { width: 0 } }'))).toMatchObject([
      { code: 'INVALID_PARAMETER' },
    ]);
  });
});

describe('a variable whose value plans show', () => {
  const parameter = (env: string) => ({
    'fleet.yaml': SHOP['fleet.yaml'].replace('env: SHOP_MIN_ROWS', `env: ${env}`),
  });
  const environment = { OTHER: 'postgresql://u:hunter22@h/d', SHOP_URL: 'x', PGPASSWORD: 'hunter22' };

  it.each(['TRUEUP_DATABASE_URL', 'DATABASE_URL', 'PGPASSWORD', 'OTHER'])(
    'R13: is none that says where the database is, or that holds a password: a parameter from %s',
    async (variable) => {
      const [found, ...others] = await problemsOf(parameter(variable), { environment });
      expect(found).toMatchObject({ code: 'DESIRED_STATE_INVALID', remedy: 'name a variable that holds no secret' });
      expect(found?.message).toContain(`the variable ${variable} `);
      expect(found?.where).toMatch(/fleet\.yaml:\d+:\d+$/u);
      expect(JSON.stringify([found, others])).not.toContain('hunter22');
    },
  );

  it('R13: names no backend and no schema out of one either', async () => {
    const fleet = SHOP['fleet.yaml'];
    for (const variable of ['SHOP_SEARCH', 'SHOP_SCHEMA']) {
      const files = { 'fleet.yaml': fleet.replace(`env: ${variable}`, 'env: DATABASE_URL') };
      expect(files['fleet.yaml']).not.toBe(fleet);
      expect((await problemsOf(files))[0]?.message).toContain('the variable DATABASE_URL says where the database is');
    }
  });

  it('R13: is none of those that fleet.yaml itself names for connections', async () => {
    const files = {
      'fleet.yaml': `connection: { env: [SHOP_MIN_ROWS] }\n${SHOP['fleet.yaml'].replace(/^connection:.*$/mu, '')}`,
    };
    expect((await problemsOf(files))[0]?.message).toContain('the variable SHOP_MIN_ROWS says where the database is');
  });
});
