import { describe, expect, it } from 'vitest';
import { parsePlaceholders } from '../../src/desired-state/placeholders.js';
import { TENANT_SCHEMA_SQL } from '../../src/sql/template.js';
import { edited, type Files, load, problemsOf, SHOP } from '../support/desired-state-fixture.js';

const PARAMETERS = `
  words: { type: string, default: simple }
  flag: { type: boolean, default: true }
  column: { type: identifier, default: Name }
`;

const withDefault = (expression: string, extra = ''): Files => ({
  'fleet.yaml': SHOP['fleet.yaml'] + PARAMETERS.slice(1),
  ...edited(
    'base.yaml',
    'kind: {',
    `probe: { type: text, default: ${JSON.stringify(expression)} }\n      kind: {${extra}`,
  ),
});

const rendered = async (expression: string, parameters: Record<string, string> = {}) =>
  (await load(withDefault(expression), { parameters })).tables[1]?.columns.find(({ name }) => name === 'probe')
    ?.default;

describe('a placeholder', () => {
  it('is written by the type of its parameter', async () => {
    expect(await rendered('${width} + 1')).toBe('8 + 1');
    expect(await rendered('${flag}')).toBe('true');
    expect(await rendered('lower(${words})')).toBe("lower('simple')");
    expect(await rendered('${column}()')).toBe('"Name"()');
    expect(await rendered('${splitter}()', { splitter: 'icu' })).toBe('icu()');
    expect(await rendered('${schema}.next_number()')).toBe(`${TENANT_SCHEMA_SQL}.next_number()`);
  });

  it('S5: cannot be left by a hostile value', async () => {
    expect(await rendered('lower(${words})', { words: "a'); DROP TABLE x; --" })).toBe(
      "lower('a''); DROP TABLE x; --')",
    );
    expect(await rendered('lower(${words})', { words: "\\'" })).toBe("lower( E'\\\\''')");
    expect(await rendered('${column}()', { column: 'a"; DROP TABLE x' })).toBe('"a""; DROP TABLE x"()');
  });

  it.each(["'${words}'", '"${words}"', "E'\\'${words}'", '$a$ ${words}$a$', 'a /* ${words} */', "'a' || '${words}"])(
    'S5: is refused inside quotes and comments: %s',
    async (expression) => {
      const found = await problemsOf(withDefault(expression));
      expect(found[0]?.message).toMatch(/stands inside quotes or a comment/u);
    },
  );

  it('of the schema may begin the name of an object in a string constant, and stand in no other one', async () => {
    const named = "nextval('${schema}.numbers'::regclass)";
    expect(await rendered(named)).toBe(`nextval('${TENANT_SCHEMA_SQL}.numbers'::regclass)`);
    for (const other of ["'${schema}'", "'a ${schema}.b'", "E'${schema}.b'", "'${words}.b'"]) {
      const found = await problemsOf(withDefault(other));
      expect(found[0]?.message).toMatch(/stands inside quotes or a comment/u);
    }
  });

  it('of a parameter without a value is refused, with the ways to give it one', async () => {
    const [found] = await problemsOf(withDefault('${splitter}'));
    expect(found?.message).toBe('parameter "splitter" has no value here');
    expect(found?.remedy).toContain('--set splitter=');
  });

  it('stands raw in a name, where the tenant has no place', async () => {
    const named = (name: string): Files => edited('base.yaml', 'name: items_kind', `name: ${JSON.stringify(name)}`);
    expect((await load(named('items_${width}'))).tables[1]?.indexes[0]?.name).toBe('items_8');
    expect((await load(named('items_$${width}'))).tables[1]?.indexes[0]?.name).toBe('items_${width}');
    expect((await problemsOf(named('${schema}_kind')))[0]?.message).toContain('where no SQL is');
    expect((await problemsOf(named('items_${kind.code}')))[0]?.message).toContain('outside the name and where');
  });

  it('cannot bring in the mark of the tenant schema by hand', async () => {
    expect((await problemsOf(withDefault('"\u0001".x()')))[0]?.message).toContain('control character');
    expect((await problemsOf(edited('base.yaml', 'name: items_kind', 'name: "a\\u0001"')))[0]?.message).toContain(
      'control character',
    );
  });

  it('is told from the text around it', () => {
    expect(parsePlaceholders('a ${b} $${c} ${d.e}')).toEqual([
      { kind: 'text', text: 'a ', offset: 0 },
      { kind: 'placeholder', name: 'b', offset: 2, quoted: false, named: false },
      { kind: 'text', text: ' ', offset: 6 },
      { kind: 'text', text: '${', offset: 7 },
      { kind: 'text', text: 'c} ', offset: 10 },
      { kind: 'placeholder', name: 'd.e', offset: 13, quoted: false, named: false },
    ]);
  });
});
