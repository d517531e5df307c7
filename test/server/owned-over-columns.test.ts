import { expect, it } from 'vitest';
import { itemsOf, summary } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const on = fleetOnServer();

/** A phase that owns what stands on `label` and `number`: those indexes are read apart from the table. */
const state = (label: string, more = '', others = '') =>
  temporaryDesiredState({
    'fleet.yaml': `
version: 1
tenants: { having_tables: [items] }
phases: [{ name: base, file: base.yaml, owns: { columns: [label, number], methods: [btree, gin] } }]
`,
    'base.yaml': `
tables:
  items:
    columns: { label: ${label}, number: int }
${more}
${others}`,
  });

const family = (where: string) => `
    index_families:
      - name: "member_\${kind.code}"
        for_each: { kind: [{ value: one, code: a }, { value: two, code: b }] }
        keys: [number]
        where: "${where} = \${kind.value}"`;

/** One index for a whole table, which may be unique. */
const WHOLE_MEMBER = `
    index_families:
      - { name: "member_\${kind.code}", for_each: { kind: [{ value: one, code: a }] }, unique: true, keys: [label] }`;

const KEY = 'unique: [{ name: items_key, columns: [label] }]';

interface Case {
  readonly title: string;
  readonly before: string;
  readonly after: string;
  readonly damage?: string;
  readonly needs: readonly string[];
  readonly obstacle?: RegExp;
  readonly outcome: string;
}

const CASES: readonly Case[] = [
  {
    title: 'is widened among rows only where an index with a predicate that names it may be built again',
    before: state('varchar(8)', `    indexes: [{ name: mine, keys: [number], where: "label <> ''" }]`),
    after: state('varchar(16)', `    indexes: [{ name: mine, keys: [number], where: "label <> ''" }]`),
    damage: `INSERT INTO S.items VALUES ('a', 1)`,
    needs: ['alter-column items.label blocked'],
    obstacle: /^table items holds rows, which PostgreSQL reads again under ACCESS EXCLUSIVE for index mine$/u,
    outcome: 'blocked',
  },
  {
    title: 'is widened among rows only where the members whose predicate names it may be built again',
    before: state('varchar(8)', family('label')),
    after: state('varchar(16)', family('label')),
    damage: `INSERT INTO S.items VALUES ('one', 1)`,
    needs: ['alter-column items.label blocked'],
    obstacle: /ACCESS EXCLUSIVE for index family member_\$\{kind\.code\}$/u,
    outcome: 'blocked',
  },
  {
    title: 'is widened among rows where a family’s predicate names it and the tenant has no member yet',
    before: state('varchar(8)', family('label')),
    after: state('varchar(16)', family('label')),
    damage: `INSERT INTO S.items VALUES ('one', 1); DROP INDEX S.member_a, S.member_b`,
    needs: ['alter-column items.label pending', 'create-index items.member_${kind.code} pending'],
    outcome: 'converged',
  },
  {
    title: 'under a key is replaced where an index has a method that does not know the new type',
    before: state('"text[]"', `    ${KEY}\n    indexes: [{ name: mine, keys: [label], method: gin }]`),
    after: state('int', `    ${KEY}\n    indexes: [{ name: mine, keys: [label] }]`),
    needs: [
      'replace-column items.label pending',
      'add-constraint items.items_key pending',
      'create-index items.mine pending',
    ],
    outcome: 'converged',
  },
  {
    title: 'under a key is replaced where the members’ predicate names it, which may not hold for the new type',
    before: state('text', `    ${KEY}${family('label')}`),
    after: state('uuid', `    ${KEY}${family('label::text')}`),
    needs: [
      'replace-column items.label pending',
      'add-constraint items.items_key pending',
      'create-index items.member_${kind.code} pending',
    ],
    outcome: 'converged',
  },
  {
    title: 'is not replaced where the index that goes with it is the one that the table is replicated by',
    before: state('{ type: text, nullable: false }'),
    after: state('{ type: uuid, nullable: false }'),
    damage: 'CREATE UNIQUE INDEX mine ON S.items (label); ALTER TABLE S.items REPLICA IDENTITY USING INDEX mine',
    needs: ['replace-column items.label blocked', 'drop-index items.mine blocked'],
    obstacle: /^mine is the replica identity of the table/u,
    outcome: 'blocked',
  },
  {
    title: 'is not replaced where a foreign key rests on the index that goes with it',
    before: state('text'),
    after: state('uuid'),
    damage: `CREATE UNIQUE INDEX mine ON S.items (label);
      CREATE TABLE S.sales (label text CONSTRAINT sales_fkey REFERENCES S.items (label))`,
    needs: ['replace-column items.label blocked', 'drop-index items.mine blocked'],
    obstacle: /^foreign key sales_fkey of table sales rests on /u,
    outcome: 'blocked',
  },
  {
    title: 'is not replaced where the member that goes with it is the one that the table is replicated by',
    before: state('{ type: text, nullable: false }', WHOLE_MEMBER),
    after: state('{ type: uuid, nullable: false }', WHOLE_MEMBER),
    damage: 'ALTER TABLE S.items REPLICA IDENTITY USING INDEX member_a',
    needs: ['replace-column items.label blocked'],
    obstacle: /^an index of family member_\$\{kind\.code\} is the replica identity of the table/u,
    outcome: 'blocked',
  },
  {
    title: 'is not replaced where a foreign key rests on the member that goes with it',
    before: state('text', WHOLE_MEMBER),
    after: state('uuid', WHOLE_MEMBER),
    damage: 'CREATE TABLE S.sales (label text CONSTRAINT sales_fkey REFERENCES S.items (label))',
    needs: ['replace-column items.label blocked'],
    obstacle: /^foreign key sales_fkey of table sales rests on /u,
    outcome: 'blocked',
  },
  {
    title: 'frees the name of the index that goes with it, for one of another table',
    before: state('text', '', '  carts: { columns: { number: int } }'),
    after: state('uuid', '', '  carts: { columns: { number: int }, indexes: [{ name: mine, keys: [number] }] }'),
    damage: 'CREATE INDEX mine ON S.items (label)',
    needs: ['replace-column items.label pending', 'create-index carts.mine pending'],
    outcome: 'converged',
  },
];

it.each(CASES)('a column under indexes that are read apart $title', async (of) => {
  const schema = `case_${CASES.indexOf(of)}`;
  await on.fleet.provision([schema], { directory: of.before });
  if (of.damage !== undefined) await on.database.exec(of.damage.replaceAll('S.', `${schema}.`));
  const options = { directory: of.after, schemas: [schema] };
  const changes = itemsOf(await on.fleet.plan(options), schema).map(({ change }) => change);
  expect([...changes.map(summary)].sort()).toEqual([...of.needs].sort());
  if (of.obstacle !== undefined)
    expect(changes.map(({ obstacle }) => obstacle)).toEqual(
      changes.map(() => expect.stringMatching(of.obstacle ?? '')),
    );
  const { tenants } = await on.fleet.apply(options);
  expect(tenants.map(({ outcome, error }) => [outcome, error])).toEqual([[of.outcome, null]]);
});
