import { describe, expect, it } from 'vitest';
import { load, problemsOf, SHOP } from '../support/desired-state-fixture.js';

const FAMILY = 'items_body_${kind.code}_${shop.short}';
const PROBE = `
probes:
  - name: find
    table: items
    family: "${FAMILY}"
    row: { word: "left(kind, 3)" }
    query: SELECT id FROM items WHERE kind = \${kind.value} AND shop_id::text = \${shop.id} AND kind > \${row.word}
    settings: { fancy.depth: 9, enable_sort: off }
    exact_rows: "\${min_rows}"
`;
const plain = (probe = PROBE) => ({ 'search/plain.yaml': SHOP['search/plain.yaml'] + probe });
const changed = (from: string, to: string) => {
  if (!PROBE.includes(from)) throw new Error(`the probe has no ${from}`);
  return plain(PROBE.replace(from, () => to));
};

describe('a probe', () => {
  it('is loaded with its query in pieces, its values open', async () => {
    const { probes } = await load(plain());
    expect(probes).toMatchObject([
      {
        name: 'find',
        phase: 'search',
        table: 'items',
        serves: { kind: 'family', label: FAMILY },
        row: { word: 'left(kind, 3)' },
        settings: { 'fancy.depth': '9', enable_sort: 'off' },
        exactRows: 0,
        source: { line: 19 },
      },
    ]);
    expect(probes[0]?.query.filter((part) => typeof part !== 'string')).toEqual([
      { variable: 'kind.value' },
      { variable: 'shop.id' },
      { variable: 'row.word' },
    ]);
  });

  it('of an index has partitions by columns, and 10,000 rows unless it says otherwise', async () => {
    const base = `${SHOP['base.yaml']}
probes:
  - { name: kinds, table: items, index: items_kind, partition: [kind], query: 'SELECT id FROM \${schema}.items WHERE kind = \${partition.kind}' }
`;
    expect((await load({ 'base.yaml': base })).probes).toMatchObject([
      { serves: { kind: 'index', name: 'items_kind' }, partition: ['kind'], exactRows: 10_000 },
    ]);
  });

  it('is left out with its phase, and where its condition does not hold', async () => {
    expect((await load(plain(), { skipExtensionPhases: true })).probes).toEqual([]);
    const conditional = changed('name: find', 'name: find\n    when: splitter');
    expect((await load(conditional)).probes).toEqual([]);
    expect((await load(conditional, { parameters: { splitter: 'icu' } })).probes).toHaveLength(1);
  });

  it.each([
    ['table: items', 'table: item', 'search/plain.yaml:20:12', 'did you mean "items"?'],
    [`family: "${FAMILY}"`, 'family: items_body', 'search/plain.yaml:21:13', `there are: ${FAMILY}`],
    [`family: "${FAMILY}"`, 'index: items_kind', 'search/plain.yaml:21:12', expect.any(String)],
    [`family: "${FAMILY}"`, '', 'search/plain.yaml:19:5', 'give one of family and index'],
    ['row: {', `index: items_kind\n    row: {`, 'search/plain.yaml:19:5', 'give one of family and index'],
    ['row: {', 'partition: [kind]\n    row: {', 'search/plain.yaml:22:16', 'remove partition'],
    ['row: {', 'rows: {', 'search/plain.yaml:22:5', expect.any(String)],
    ['left(kind, 3)', 'left(knd, 3)', 'search/plain.yaml:19:5', 'did you mean "kind"?'],
    ['FROM items', 'FROM other.items', 'search/plain.yaml:19:5', expect.any(String)],
    ['FROM items', 'FROM pg_catalog.pg_authid', 'search/plain.yaml:19:5', expect.any(String)],
    ['FROM items', 'FROM shop', 'search/plain.yaml:19:5', 'did you mean "shops"?'],
    ['SELECT id', 'DELETE', 'search/plain.yaml:23:12', expect.any(String)],
    ['SELECT id', 'SELECT 1; SELECT id', 'search/plain.yaml:23:20', expect.any(String)],
    ['SELECT id', 'SELECT id INTO x', expect.stringMatching(/^search\/plain\.yaml:23:/u), expect.any(String)],
    ['kind > ${row.word}', 'kind > ${row.wrd}', 'search/plain.yaml:23:102', 'did you mean "word"?'],
    ['kind > ${row.word}', 'kind > ${partition.kind}', 'search/plain.yaml:23:102', expect.any(String)],
    ['kind > ${row.word}', "kind > '${row.word}'", 'search/plain.yaml:23:103', expect.stringContaining('quotes')],
    ['enable_sort: off', 'search_path: public', 'search/plain.yaml:24:33', expect.stringContaining('planner')],
    ['enable_sort: off', 'statement_timeout: 0', 'search/plain.yaml:24:33', expect.stringContaining('planner')],
    ['enable_sort: off', 'role: postgres', 'search/plain.yaml:24:33', expect.stringContaining('planner')],
    ['"${min_rows}"', '-1', expect.stringMatching(/^search\/plain\.yaml:25:/u), expect.any(String)],
    ['name: find', 'name: Find It', 'search/plain.yaml:19:11', expect.any(String)],
  ] as const)('is refused with its place: %s → %s', async (from, to, where, remedy) => {
    expect(await problemsOf(changed(from, to))).toEqual(
      expect.arrayContaining([expect.objectContaining({ code: 'DESIRED_STATE_INVALID', where, remedy })]),
    );
  });

  it('is refused under a name that another one has', async () => {
    const twice = PROBE + PROBE.replace('\nprobes:\n', '');
    expect(await problemsOf(plain(twice))).toMatchObject([{ message: 'two probes are named "find"' }]);
  });

  it.each(["pg_read_file('/etc/passwd')", 'own.f(kind)', 'current_user::text', '(SELECT kind)'])(
    'S1: takes no value from a row by what leaves pg_catalog or reads the session: %s',
    async (expression) => {
      const found = await problemsOf(changed('left(kind, 3)', expression)).catch(() => null);
      // That a function is not immutable, only the server knows.
      if (expression.startsWith('pg_read_file')) expect(found).toBeNull();
      else expect(found?.[0]).toMatchObject({ where: expect.stringMatching(/^search\/plain\.yaml:22:/u) });
    },
  );
});
