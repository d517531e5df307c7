import { describe, expect, it } from 'vitest';
import { edited, load, problemsOf, SHOP } from '../support/desired-state-fixture.js';

describe('a backend', () => {
  it('is chosen by flag, override, environment or default, in this order', async () => {
    const backend = async (options: object) => (await load({}, options)).phases[1]?.backend;
    expect(await backend({})).toMatchObject({
      value: 'plain',
      source: 'default',
      resolved: 'plain',
      alternatives: ['plain'],
    });
    expect(await backend({ environment: { SHOP_SEARCH: 'fancy' } })).toMatchObject({
      value: 'fancy',
      source: 'environment',
    });
    expect(
      await backend({ environment: { SHOP_SEARCH: 'fancy' }, backendOverrides: { search: 'plain' } }),
    ).toMatchObject({ value: 'plain', source: 'override' });
    expect(await backend({ backendOverrides: { search: 'plain' }, backends: { search: 'fancy' } })).toMatchObject({
      value: 'fancy',
      source: 'flag',
    });
  });

  it('knows the others with their methods and families, to name what a fleet has', async () => {
    expect((await load()).phases[1]?.backend?.known).toEqual([
      { name: 'fancy', methods: [{ name: 'fancy', extension: 'fancy' }], families: [] },
      {
        name: 'plain',
        methods: [{ name: 'gin', extension: null }],
        families: [
          { table: 'items', label: `items_body_$\{kind.code}_$\{shop.short}`, pattern: '^items_body_(?:n|u)_.*$' },
        ],
      },
    ]);
  });

  it('B15: of an unknown name is refused with those there are', async () => {
    const [found] = await problemsOf({}, { backends: { search: 'fency' } });
    expect(found).toMatchObject({
      code: 'UNKNOWN_BACKEND',
      message: 'phase search has no backend "fency"',
      where: '--backend search=fency',
    });
    expect(found?.remedy).toBe('did you mean "fancy"? backends of search: fancy, plain');
    expect(await problemsOf({}, { environment: { SHOP_SEARCH: 'zzzzz' } })).toMatchObject([
      {
        code: 'UNKNOWN_BACKEND',
        where: 'environment variable SHOP_SEARCH',
        remedy: 'backends of search: fancy, plain',
      },
    ]);
  });

  it('C5: that cannot take a value is refused, and those that could are named', async () => {
    expect(await problemsOf({}, { parameters: { width: '101' } })).toMatchObject([
      {
        code: 'LIMIT_EXCEEDED',
        message: 'width is 101, but plain takes at most 100',
        remedy: 'backends of search that could: fancy',
      },
    ]);
    const phase = (await load({}, { parameters: { width: '100' } })).phases[1];
    expect(phase?.limits).toEqual({ width: { minimum: null, maximum: 100 } });
  });

  it('gives way to the alternative that a database resolved to', async () => {
    const files = edited('search/plain.yaml', 'backend: plain', 'backend: plain\nalternatives: [fancy]');
    const asked = (await load(files)).phases[1]?.backend;
    expect(asked).toMatchObject({ value: 'plain', resolved: 'plain', alternatives: ['plain', 'fancy'] });
    const state = await load(files, { alternatives: { search: 'fancy' } });
    expect(state.phases[1]?.backend).toMatchObject({ value: 'plain', resolved: 'fancy' });
    expect(state.tables[1]?.indexes.map(({ name }) => name)).toContain('items_body');
    expect(await problemsOf({}, { alternatives: { search: 'fancy' } })).toMatchObject([{ code: 'UNKNOWN_BACKEND' }]);
  });

  it('cannot have alternatives that do not exist, or that lead back to it', async () => {
    const plain = (name: string) =>
      SHOP['search/plain.yaml'].replace('backend: plain', `backend: plain\nalternatives: [${name}]`);
    expect(await problemsOf({ 'search/plain.yaml': plain('fency') })).toMatchObject([
      { code: 'UNKNOWN_BACKEND', where: 'search/plain.yaml:3:16' },
    ]);
    const ring = await problemsOf({
      'search/plain.yaml': plain('fancy'),
      ...edited('search/fancy.yaml', 'backend: fancy', 'backend: fancy\nalternatives: [plain]'),
    });
    expect(ring.map(({ message }) => message)).toEqual([
      'the alternatives of fancy lead back to it through plain',
      'the alternatives of plain lead back to it through fancy',
    ]);
  });

  it('cannot limit a parameter that does not exist', async () => {
    expect(await problemsOf(edited('search/plain.yaml', 'limits: { width', 'limits: { widht'))).toMatchObject([
      { where: 'search/plain.yaml:3:11', remedy: 'did you mean "width"?' },
    ]);
  });
});

describe('when and unless', () => {
  const keys = async (options: object) =>
    (await load({}, { backends: { search: 'fancy' }, ...options })).tables[1]?.indexes[1]?.keys.map(
      ({ column, expression }) => column ?? expression,
    );

  it('take an entry in by whether a parameter has a value', async () => {
    expect(await keys({})).toEqual(['body']);
    expect(await keys({ parameters: { splitter: 'icu' } })).toEqual(['(body::fancy.icu)']);
  });

  it('take an entry in by the value that a parameter has', async () => {
    const files = edited('base.yaml', 'kind: {', 'wide: { type: text, when: { width: 16 } }\n      kind: {');
    const columns = async (options: object) => (await load(files, options)).tables[1]?.columns.map(({ name }) => name);
    expect(await columns({})).not.toContain('wide');
    expect(await columns({ parameters: { width: '16' } })).toContain('wide');
  });

  it('leave no placeholder unchecked in an entry that does not count', async () => {
    expect(
      await problemsOf(edited('search/fancy.yaml', 'fancy.${splitter}', 'fancy.${spliter}'), {
        backends: { search: 'fancy' },
      }),
    ).toMatchObject([{ where: 'search/fancy.yaml:14:41', remedy: 'did you mean "splitter"?' }]);
  });
});

describe('worth_rows', () => {
  const policy = async (min: string, keep = 'half') =>
    (await load(edited('search/plain.yaml', 'keep: half', `keep: ${keep}`), { parameters: { min_rows: min } }))
      .tables[1]?.families[0]?.worthRows;

  it('keeps down to half of what it builds from, rounded down, at least 1; 0 is no policy', async () => {
    expect(await policy('0')).toBeNull();
    expect(await policy('1')).toEqual({ build: 1, keep: 1 });
    expect(await policy('7')).toEqual({ build: 7, keep: 3 });
    expect(await policy('10', '2')).toEqual({ build: 10, keep: 2 });
  });

  it('cannot keep above what it builds from', async () => {
    const files = edited('search/plain.yaml', 'keep: half', 'keep: 20');
    expect(await problemsOf(files, { parameters: { min_rows: '10' } })).toMatchObject([
      { message: expect.stringContaining('would be dropped again') },
    ]);
  });
});
