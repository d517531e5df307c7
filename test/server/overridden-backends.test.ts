import { afterEach, expect, it } from 'vitest';
import { showSql } from '../../src/sql/template.js';
import { itemsOf } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

/** Of `paid` the extension is nowhere, so that `free`, its alternative, runs; `plain` has none. */
const files = (select: string, override: string) =>
  temporaryDesiredState({
    'fleet.yaml': `
version: 1
tenants: { having_tables: [items] }
phases:
  - { name: base, file: base.yaml }
  - name: search
    extension: true
    backends: search/
    select: { default: ${select} }
    owns: { columns: [body], methods: [gin, gist, ghost] }
overrides: [{ schemas: [canary], backends: { search: ${override} } }]
`,
    'base.yaml': 'tables: { items: { columns: { body: tsvector } } }',
    'search/paid.yaml': `backend: paid\nalternatives: [free]\nextensions: [{ name: ghost }]\n${indexed('{ name: ghost, extension: ghost }')}`,
    'search/free.yaml': `backend: free\n${indexed('gin')}`,
    'search/plain.yaml': `backend: plain\n${indexed('gist')}`,
  });
const indexed = (method: string) =>
  `tables: { items: { indexes: [{ name: items_body, method: ${method}, keys: [body] }] } }`;

const on = fleetOnServer();
afterEach(() => on.database.exec('DROP SCHEMA IF EXISTS acme, canary CASCADE'));

it.each([
  ['a backend that is none of the alternatives', 'paid', 'plain', { acme: 'gin', canary: 'gist' }],
  ['a backend with alternatives', 'plain', 'paid', { acme: 'gist', canary: 'gin' }],
])('an override may name %s', async (_, select, override, methods) => {
  await on.database.exec('CREATE SCHEMA acme; CREATE SCHEMA canary; CREATE TABLE acme.items (body tsvector)');
  await on.database.exec('CREATE TABLE canary.items (body tsvector)');
  const plan = await on.fleet.plan({ directory: files(select, override) });
  const built = (schema: string) =>
    itemsOf(plan, schema).map(({ change }) => `${change.status} ${change.steps.map(({ sql }) => showSql(sql)).join()}`);
  for (const [schema, method] of Object.entries(methods))
    expect(built(schema)).toEqual([expect.stringMatching(new RegExp(`^pending .*USING \\S*${method}`, 'u'))]);
  const notes = plan.databases.flatMap(({ diagnostics }) => diagnostics.map(({ code }) => code));
  expect(notes.filter((code) => code === 'BACKEND_RESOLVED')).toHaveLength(1);
});
