import { describe, expect, it } from 'vitest';
import { edited, load, problemsOf, SHOP } from '../support/desired-state-fixture.js';

const OWNS = 'owns: { columns: [body], methods: [gin, fancy] }';
const owning = (rule: string) => edited('fleet.yaml', OWNS, `owns: ${rule}`);

describe('what a phase owns', () => {
  it('is on columns that its files declare, where one is misspelt: it would own nothing', async () => {
    expect(await problemsOf(owning('{ columns: [bdoy], methods: [gin, fancy], ignoring: [idd] }'))).toEqual([
      {
        code: 'DESIRED_STATE_INVALID',
        message: 'phase search owns indexes on the column "bdoy", which no declared table has',
        where: 'fleet.yaml:11:23',
        remedy: 'did you mean "body"?',
      },
      {
        code: 'DESIRED_STATE_INVALID',
        message: 'phase search ignores the column "idd", which no declared table has',
        where: 'fleet.yaml:11:64',
        remedy: 'did you mean "id"?',
      },
    ]);
  });

  it('may be on a column of a backend that is not in use, and on what a view gives', async () => {
    const files = {
      ...owning('{ columns: [body, embedding, total], methods: [gin, fancy] }'),
      ...edited('search/fancy.yaml', 'body: text', 'body: text\n      embedding: text'),
      'base.yaml': `${SHOP['base.yaml']}
materialized_views:
  totals: { query: 'SELECT count(*) AS total FROM \${schema}.items' }
`,
    };
    expect((await load(files)).phases[1]?.owns?.columns).toEqual(['body', 'embedding', 'total']);
  });

  it('is by the methods that its files use, where one is misspelt', async () => {
    expect(await problemsOf(owning('{ columns: [body], methods: [gin, fnacy] }'))).toEqual([
      {
        code: 'DESIRED_STATE_INVALID',
        message: 'phase search owns indexes of the method "fnacy", by which no file of it makes one',
        where: 'fleet.yaml:11:45',
        remedy: 'did you mean "fancy"?',
      },
    ]);
  });

  it('may be on a column that an older version has left, and that no file declares', async () => {
    const state = await load(owning('{ columns: [body, body_plain], methods: [gin, fancy] }'));
    expect(state.phases[1]?.owns?.columns).toEqual(['body', 'body_plain']);
  });

  it('may be by a method that a former backend has left, however like another it is', async () => {
    const state = await load(owning('{ columns: [body], methods: [gin, fancy, fancy2, gist] }'));
    expect(state.phases[1]?.owns?.methods).toEqual(['gin', 'fancy', 'fancy2', 'gist']);
  });

  it('is not held against columns of a file that could not be read', async () => {
    const problems = await problemsOf({
      ...owning('{ columns: [body], methods: [gin, fancy] }'),
      'search/plain.yaml': null,
      'search/fancy.yaml': 'backend: [',
    });
    expect(problems.map(({ message }) => message)).not.toContainEqual(expect.stringContaining('owns indexes'));
  });
});
