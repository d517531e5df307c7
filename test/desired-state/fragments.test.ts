import { describe, expect, it } from 'vitest';
import { edited, load, problemsOf } from '../support/desired-state-fixture.js';

describe('an SQL fragment', () => {
  it.each([
    ['base.yaml', 'default: "\'new\'"', 'default: "\'new\'; DROP TABLE x"', 'base.yaml:12'],
    ['base.yaml', 'type: text, default', 'type: "text); DROP TABLE x; --", default', 'base.yaml:12'],
    ['base.yaml', '{ column: shop_id, order: desc }', '{ expression: "a, b" }', 'base.yaml:17'],
    ['search/plain.yaml', 'AND shop_id', 'AND OR shop_id', 'search/plain.yaml:15'],
    ['search/plain.yaml', 'left(name, 8)', 'left(name, 8', 'search/plain.yaml:11'],
  ] as const)('that is not exactly one of its kind is refused with its place: %s %s', async (file, from, to, where) => {
    const found = await problemsOf(edited(file, from, to));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      code: 'DESIRED_STATE_INVALID',
      where: expect.stringMatching(new RegExp(`^${where}:\\d+$`, 'u')),
    });
  });

  it('is pointed at where it goes wrong, in a block of lines too', async () => {
    const files = edited('base.yaml', 'default: "\'new\'"', 'default: 1 + ) 2');
    expect((await problemsOf(files))[0]?.where).toMatch(/^base\.yaml:12:(?:3[1-9]|4\d)$/u);
    const view = edited(
      'base.yaml',
      '\ntables:',
      '\nmaterialized_views:\n  totals:\n    query: |\n      SELECT 1\n      FROM items WHERE AND 2\ntables:',
    );
    expect((await problemsOf(view))[0]?.where).toMatch(/^base\.yaml:6:2\d$/u);
  });

  it.each(['own.f(name)', 'name::regclass::text', 'current_user::text', 'left(name, VARIADIC 8)'])(
    'S1: that a plan would evaluate is refused when it leaves pg_catalog or reads the session: %s',
    async (expression) => {
      const found = await problemsOf(edited('search/plain.yaml', 'left(name, 8)', expression));
      expect(found).toMatchObject([{ code: 'FRAGMENT_REFUSED', where: 'search/plain.yaml:11:66' }]);
      const where = edited(
        'search/plain.yaml',
        'worth_rows:',
        `requires_rows: { count: 3, where: "${expression} IS NULL" }\n        worth_rows:`,
      );
      expect(await problemsOf(where)).toMatchObject([{ code: 'FRAGMENT_REFUSED' }]);
    },
  );

  it.each([
    ['base.yaml', 'keys: [kind,', 'where: "knd IS NULL", keys: [kind,', 'base.yaml:17:9', 'did you mean "kind"?'],
    ['base.yaml', 'keys: [kind,', 'keys: [{ expression: "lower(knd)" },', 'base.yaml:17:9', 'did you mean "kind"?'],
    [
      'base.yaml',
      '    indexes:',
      '    checks: [{ name: c, expression: knd > 1 }]\n    indexes:',
      'base.yaml:16:14',
      'did you mean "kind"?',
    ],
    ['search/plain.yaml', '"kind = ', '"knd = ', 'search/plain.yaml:9:9', 'did you mean "kind"?'],
    ['search/plain.yaml', 'left(name, 8)', 'left(nam, 8)', 'search/plain.yaml:9:9', 'did you mean "name"?'],
  ] as const)('that names a column which is not declared is refused: %s %s', async (file, from, to, where, remedy) => {
    expect(await problemsOf(edited(file, from, to))).toMatchObject([{ code: 'DESIRED_STATE_INVALID', where, remedy }]);
  });

  it('that no plan evaluates may call what it likes', async () => {
    await expect(load(edited('base.yaml', '"\'new\'"', 'own_function(now())'))).resolves.toBeDefined();
  });
});
