import { beforeAll, describe, expect, it } from 'vitest';
import type { TrueupError } from '../../src/trueup-error.js';
import { changesOf } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const on = fleetOnServer();

interface Declared {
  readonly columns: string;
  readonly id?: string;
  readonly more?: string;
  readonly extension?: string;
}

const state = ({ columns, id = 'int', more = '', extension }: Declared) =>
  temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [shops] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': `${extension === undefined ? '' : `extensions: [{ name: ${extension}, schema: public }]`}
tables:
  shops:
    columns: { id: { type: ${id}, nullable: false } }
    primary_key: { name: shops_pkey, columns: [id] }
  sales:
    columns: { number: int${columns} }
${more}
`,
  });

const FOREIGN_KEY =
  'foreign_keys: [{ name: sales_shop, columns: [shop], references: { table: shops, columns: [id] } }]';
const key = (from: string, to: string) => state({ columns: `, shop: ${from}`, id: to, more: `    ${FOREIGN_KEY}` });

/** What a plan of tenants made with `before` says of the desired state, and what their apply does. */
async function refusal(schemas: readonly string[], directory: string) {
  await on.fleet.provision(schemas, { directory: state({ columns: '' }) });
  const options = { directory, schemas };
  const told = async (run: () => Promise<unknown>) => {
    const error = await run().then(
      () => null,
      (thrown: TrueupError) => thrown,
    );
    return error === null
      ? null
      : [
          error.code,
          error.message,
          error.options?.where?.replace(/^database (?!main,)[^,]+, phase base, .*base\.yaml/u, 'base.yaml'),
        ];
  };
  const planned = await told(() => on.fleet.plan(options));
  on.fleet.forget();
  expect(await told(() => on.fleet.apply(options))).toEqual(planned);
  expect(on.fleet.statements.filter((sql) => /^\s*(?:ALTER|CREATE)/iu.test(sql))).toEqual([]);
  return planned;
}

describe('a type that no tenant’s column could be made of is refused once, with its place', () => {
  it.each([
    ['nosuch', 'the database has no type nosuch'],
    ['"nosuch(3)[]"', 'the database has no type nosuch(3)[]'],
    ['pg_catalog.intt', 'the database has no type pg_catalog.intt'],
    // Nothing declares its extension, and sessions have no search_path.
    ['vector(3)', 'the database has no type vector(3)'],
  ])('%s', async (type, message) => {
    const schemas = ['a', 'b'].map((one) => `${one}_${type.replace(/\W/gu, '_')}`);
    expect(await refusal(schemas, state({ columns: `, x: ${type}` }))).toEqual([
      'DESIRED_STATE_INVALID',
      message,
      'base.yaml:7:29',
    ]);
  });

  it('is no matter while nothing is to be made of it', async () => {
    await on.fleet.provision(['whole'], { directory: state({ columns: '' }) });
    await on.database.exec('ALTER TABLE whole.sales ADD x public.vector(3)');
    const extension = { columns: ', x: vector(3)', extension: 'vector' };
    on.fleet.forget();
    expect(changesOf(await on.fleet.plan({ directory: state(extension), schemas: ['whole'] }), 'whole')).toEqual([]);
    expect(on.fleet.statements.filter((sql) => /pg_amop|typname = w\.type/u.test(sql))).toEqual([]);
  });

  it('unless the plan itself brings an extension, which may bring the type', async () => {
    await on.fleet.provision(['coming'], { directory: state({ columns: '' }) });
    const options = { directory: state({ columns: ', x: citext', extension: 'citext' }), schemas: ['coming'] };
    expect(changesOf(await on.fleet.plan(options), 'coming')).toEqual(['add-column sales.x pending']);
    expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
  });

  it('nor one of the tenant’s own', async () => {
    await on.fleet.provision(['own'], { directory: state({ columns: '' }) });
    await on.database.exec("CREATE TYPE own.kind AS ENUM ('a')");
    const options = { directory: state({ columns: ', x: "${schema}.kind"' }), schemas: ['own'] };
    expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
  });
});

describe('a foreign key between columns that PostgreSQL does not compare is refused once, with both types', () => {
  beforeAll(() => on.database.exec(`CREATE TYPE public.mood AS ENUM ('ok'); CREATE TYPE public.state AS ENUM ('ok')`));
  it.each([
    ['text', 'uuid'],
    ['numeric', 'int'],
    ['uuid', 'text'],
    ['oid', 'int'],
    ['text', 'public.mood'],
    ['public.mood', 'text'],
    ['public.state', 'public.mood'],
  ])('from %s to %s', async (from, to) => {
    const schemas = ['a', 'b'].map((one) => `${one}_${from}_to_${to}`.replaceAll('.', '_'));
    const [code, message, where] = (await refusal(schemas, key(from, to))) ?? [];
    expect([code, message]).toEqual([
      'DESIRED_STATE_INVALID',
      `foreign key "sales_shop" cannot be: sales.shop is ${from}, shops.id is ${to}, and PostgreSQL does not compare those`,
    ]);
    expect(where).toMatch(/^base\.yaml:8:\d+$/u);
  });

  it.each([
    ['int', 'bigint'],
    ['int', 'numeric'],
    ['varchar(4)', 'text'],
    ['"char(3)"', 'text'],
    ['name', 'text'],
    ['timestamptz', 'date'],
    ['cidr', 'inet'],
    ['"int[]"', '"int[]"'],
    ['public.mood', 'public.mood'],
  ])('not one from %s to %s', async (from, to) => {
    const schema = `made_${from}_${to}`.replace(/\W/gu, '_');
    await on.fleet.provision([schema], { directory: key(from, to) });
    expect(changesOf(await on.fleet.plan({ directory: key(from, to), schemas: [schema] }), schema)).toEqual([]);
  });
});
