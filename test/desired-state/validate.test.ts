import { describe, expect, it } from 'vitest';
import { validateDesiredState } from '../../src/desired-state/validate.js';
import { edited, type Files, optionsFor, SHOP, writeDesiredState } from '../support/desired-state-fixture.js';

const validate = (files: Files = {}, options: object = {}) =>
  validateDesiredState(optionsFor(writeDesiredState(files), options));

describe('validate', () => {
  it('sums up what a directory holds', async () => {
    expect(await validate()).toMatchObject({
      phases: [
        { name: 'base', backend: null, source: null, backends: [] },
        { name: 'search', backend: 'plain', source: 'default', backends: ['fancy', 'plain'] },
      ],
      tables: 2,
      materializedViews: 0,
      columns: 6,
      indexes: 1,
      indexFamilies: 1,
      parameters: { width: { value: 8, source: 'default' } },
    });
  });

  it('finds what is wrong only with a backend that is not chosen', async () => {
    await expect(validate(edited('search/fancy.yaml', 'column: body', 'column: bdy'))).rejects.toMatchObject({
      message: 'index "items_body" names the column "bdy", which "items" does not have',
    });
  });

  it('does not hold a value against a backend that is not in use', async () => {
    await expect(validate({}, { backends: { search: 'fancy' }, parameters: { width: '3072' } })).resolves.toBeDefined();
    await expect(validate({}, { parameters: { width: '3072' } })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  it('tells each problem once, however many backends meet it', async () => {
    const files = {
      ...edited('base.yaml', 'keys: [kind,', 'keys: [knd,'),
      'search/third.yaml': SHOP['search/fancy.yaml'].replace('backend: fancy', 'backend: third'),
    };
    const error = await validate(files).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ options: { others: [] } });
  });

  it('does not miss what a file that cannot be used may declare', async () => {
    const probe = `
probes:
  - { name: all, table: items, index: items_body, query: 'SELECT id FROM \${schema}.items ORDER BY body' }
`;
    const files = {
      ...edited('base.yaml', 'nullable: false', 'nullable: no'),
      'search/fancy.yaml': `${SHOP['search/fancy.yaml']}${probe}`,
    };
    const error = await validate(files).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      message: 'tables.shops.columns.name.nullable must be true or false, but is text',
      options: { others: [] },
    });
  });

  it('does not say that there is no such backend where its file cannot be used', async () => {
    const files = {
      ...edited('search/fancy.yaml', 'depth: 3', 'depth: [3]'),
      'fleet.yaml': `${SHOP['fleet.yaml']}overrides: [{ schemas: [canary], backends: { search: fancy } }]`,
      'search/plain.yaml': `${SHOP['search/plain.yaml']}alternatives: [fancy]`,
    };
    const error = await validate(files, { backends: { search: 'fancy' } }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      message: expect.stringContaining(
        'method.defaults.depth must be text or a number or true or false, but is a list',
      ),
      options: { others: [] },
    });
  });
});
