import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { applyFleet } from '../../src/apply/apply-fleet.js';
import { runDefaults } from '../../src/apply/request.js';
import { checkDatabase, checkPlan, withGone } from '../../src/apply/saved-plan.js';
import { readIdentity } from '../../src/catalog/database-identity.js';
import { type RequestFlags, refuseBesideFile, requestOf, savedRequestOf } from '../../src/cli/run-request.js';
import { openDatabase } from '../../src/database/open-database.js';
import type { Database } from '../../src/database/session.js';
import { resolveTarget } from '../../src/database/target.js';
import { type PlanFile, planId } from '../../src/plan/plan-file.js';
import { readPlanFile } from '../../src/plan/plan-file-read.js';
import { planFileOf, writePlanFile } from '../../src/plan/plan-file-write.js';
import { planFleet } from '../../src/plan/plan-fleet.js';
import type { PlanRequest } from '../../src/plan/request.js';
import { NO_PROGRESS } from '../../src/progress.js';
import type { ApplyDocument } from '../../src/report/apply-json.js';
import { TrueupError } from '../../src/trueup-error.js';
import { itemsTenant, writeItems } from '../support/items.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const PROGRAM = fileURLToPath(new URL('../../bin/dev.js', import.meta.url));

const items = writeItems();
const work = mkdtempSync(join(tmpdir(), 'trueup-saved-plan-'));
const file = join(work, 'plan.json');
let database: TestDatabase;

afterAll(() => {
  items.remove();
  rmSync(work, { recursive: true, force: true });
});
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  rmSync(file, { force: true });
  await database?.drop();
});

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real program; bounded, so that a hanging one fails its test alone. */
function trueup(argv: readonly string[], environment: Record<string, string> = {}, url = database.url): Promise<Run> {
  const { DEBUG: _, ...inherited } = process.env;
  const env = { ...inherited, TRUEUP_DATABASE_URL: url, ...environment };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [PROGRAM, ...argv, '--quiet'], { cwd: work, env, timeout: 30_000 });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, stdout, stderr }));
  });
}

/** What the commands do, in this process: starting one takes seconds. */
async function opened<T>(url: string, request: PlanRequest, use: (database: Database) => Promise<T>): Promise<T> {
  const target = resolveTarget({ databaseUrl: url, environment: {}, variables: request.desired.connectionVariables });
  const server = await openDatabase(target, { id: 'main', maxSessions: 4 });
  try {
    return await use(server);
  } finally {
    await server.close();
  }
}

async function saved(flags: RequestFlags = {}, environment = {}, url = database.url): Promise<PlanFile> {
  const request = await requestOf({ 'desired-state': items.directory, ...flags }, environment, NO_PROGRESS);
  await opened(url, request, async (server) =>
    writePlanFile(file, planFileOf(await planFleet(server, request), '0.1.0')),
  );
  return JSON.parse(readFileSync(file, 'utf8')) as PlanFile;
}

async function apply(flags: RequestFlags = {}, environment = {}, url = database.url) {
  refuseBesideFile(flags);
  const plan = await readPlanFile(file);
  const request = await savedRequestOf(plan, flags, environment, NO_PROGRESS);
  return opened(url, request, async (server) => {
    const session = await server.connect();
    checkDatabase(plan, server, await readIdentity(session));
    await session.close();
    const { plan: now, approved, appeared, gone } = checkPlan(plan, await planFleet(server, request));
    const outcome = withGone(await applyFleet(server, now, { ...request, ...runDefaults(), approved }), gone);
    return { outcome, appeared, ends: endsOf(outcome.tenants) };
  });
}

const endsOf = (tenants: readonly { readonly schema: string; readonly outcome: string }[]) =>
  Object.fromEntries(tenants.map(({ schema, outcome }) => [schema, outcome]));

const refusal = async (work: () => Promise<unknown>): Promise<TrueupError> => {
  try {
    await work();
  } catch (error) {
    if (error instanceof TrueupError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

const indexes = async () => {
  const rows = await database.query<{ name: string }>(
    `select schemaname || '.' || indexname "name" from pg_indexes where tablename = 'items' and indexname <> 'items_pkey' order by 1`,
  );
  return rows.map(({ name }) => name);
};

/** Tenants that lack their index items_name. */
const drifted = (...schemas: readonly string[]) =>
  database.exec(schemas.map((schema) => itemsTenant(schema, { rows: 3, without: ['items_name'] })).join('\n'));

it('R8: a tenant that has changed since is stale and untouched, the rest is applied without being asked for', async () => {
  await drifted('changed', 'right1', 'right2');
  await database.exec(itemsTenant('sound'));
  const planned = await trueup(['plan', '--out', file, '--desired-state', items.directory]);
  expect([planned.status, planned.stderr]).toEqual([0, '']);
  const plan = JSON.parse(readFileSync(file, 'utf8')) as PlanFile;
  await drifted('new1', 'new2');
  await database.exec('DROP INDEX changed.items_note; DROP INDEX sound.items_note');
  const run = await trueup(['apply', file, '--json']);
  const document = JSON.parse(run.stdout) as ApplyDocument;
  expect(endsOf(document.tenants)).toEqual({
    changed: 'stale',
    sound: 'stale',
    right1: 'converged',
    right2: 'converged',
  });
  expect(document.tenants.find(({ schema }) => schema === 'changed')?.error).toMatchObject({ code: 'PLAN_STALE' });
  expect([run.status, document.planId]).toEqual([5, plan.planId]);
  expect(run.stderr).toMatch(/2 tenants have come since/u);
  expect(await indexes()).toEqual([
    'new1.items_note',
    'new2.items_note',
    'right1.items_name',
    'right1.items_note',
    'right2.items_name',
    'right2.items_note',
    'sound.items_name',
  ]);
});

it('R8: an ANALYZE that forgets a table which inherited, and is gone, makes no tenant stale', async () => {
  await database.exec(itemsTenant('t', { without: ['items_note'] }));
  await database.exec('CREATE TABLE t.kept () INHERITS (t.items); DROP TABLE t.kept');
  await saved();
  await database.query('ANALYZE t.items');
  expect((await apply()).ends).toEqual({ t: 'converged' });
});

it('R8: tenants that are gone have vanished, named ones too, and a second apply of the file does only what is left', async () => {
  await drifted('kept', 'gone');
  await saved({ schema: ['kept', 'gone'] });
  await database.exec('DROP SCHEMA gone CASCADE');
  const first = await apply();
  expect(first.ends).toEqual({ kept: 'converged', gone: 'vanished' });
  const again = await apply();
  expect(again.ends).toEqual({ kept: 'in-sync', gone: 'vanished' });
  expect(await database.query(`select from pg_namespace where nspname = 'gone'`)).toEqual([]);
});

it('tenants that the plan makes are made, by a plan of --create-schema', async () => {
  await saved({ schema: ['fresh'], 'create-schema': true });
  expect((await apply()).ends).toEqual({ fresh: 'converged' });
});

it('a plan without pending changes says so, and exits 0', async () => {
  await database.exec(itemsTenant('sound'));
  await saved();
  const run = await trueup(['apply', file]);
  expect(run.status).toBe(0);
  expect(run.stdout).toMatch(/has no pending changes: there is nothing to apply/u);
});

it('R13: a plan file holds neither the password nor the connection string', async () => {
  await drifted('t');
  const url = new URL(database.url);
  url.password ||= 'hunter22';
  await saved({}, {}, url.href);
  const text = readFileSync(file, 'utf8');
  expect(text).not.toContain(url.password);
  expect(text).not.toMatch(/postgres(?:ql)?:\/\//u);
});

describe('R9:', () => {
  beforeEach(() => drifted('t'));
  const untouched = async () => expect(await indexes()).toEqual(['t.items_note']);

  it('a file that was edited, cut off, or is of another format version is refused', async () => {
    await saved();
    const text = readFileSync(file, 'utf8');
    for (const [code, other] of [
      ['PLAN_FILE_INVALID', text.replace('"reason":"missing"', '"reason":"absent"')],
      ['PLAN_FILE_INVALID', text.slice(0, -9)],
      ['PLAN_FILE_VERSION', text.replace('"formatVersion":"1.0"', '"formatVersion":"1.1"')],
    ] as const) {
      expect(other).not.toBe(text);
      writeFileSync(file, other);
      const error = await refusal(apply);
      expect([error.code, error.options.remedy]).toEqual([code, expect.stringContaining('new plan')]);
    }
    await untouched();
  });

  it('another desired state is refused, by its content and not by its place', async () => {
    await saved();
    const copy = writeItems();
    try {
      const base = join(copy.directory, 'base.yaml');
      writeFileSync(base, `# a comment is no content\n${readFileSync(base, 'utf8')}`);
      writeFileSync(base, readFileSync(base, 'utf8').replace('note: text', 'note: varchar'), { flag: 'w' });
      const here = { 'desired-state': copy.directory };
      expect((await refusal(() => apply(here))).code).toBe('PLAN_FILE_MISMATCH');
      await untouched();
      writeFileSync(base, readFileSync(base, 'utf8').replace('note: varchar', 'note: text'));
      expect((await apply(here)).ends).toEqual({ t: 'converged' });
    } finally {
      copy.remove();
    }
  });

  it('another database is refused, though its tenants are the same, and one of the same name made anew', async () => {
    await saved();
    const other = await createTestDatabase();
    try {
      await other.exec(itemsTenant('t', { rows: 3, without: ['items_name'] }));
      const error = await refusal(() => apply({}, {}, other.url));
      expect(error.code).toBe('PLAN_FILE_MISMATCH');
      expect(error.message).toContain(other.name);
      const plan = JSON.parse(readFileSync(file, 'utf8')) as PlanFile;
      const approved = {
        ...plan.approved,
        databases: plan.approved.databases.map((one) => ({ ...one, name: other.name })),
      };
      writeFileSync(file, JSON.stringify({ ...plan, approved, planId: planId(approved) }));
      const renamed = await refusal(() => apply({}, {}, other.url));
      expect(renamed.code).toBe('PLAN_FILE_MISMATCH');
      expect(renamed.message).toContain('another database of this name');
    } finally {
      await other.drop();
    }
  });

  it('a role that may not read the number of the server plans and applies by host and port', async () => {
    await database.exec('REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC');
    const role = `trueup_${database.name.slice(-8)}`;
    await database.exec(
      `CREATE ROLE ${role} LOGIN; ALTER SCHEMA t OWNER TO ${role}; ALTER TABLE t.items OWNER TO ${role}`,
    );
    try {
      const url = database.urlFor(role);
      const plan = await saved({}, {}, url);
      expect(plan.approved.databases[0]).toMatchObject({ systemIdentifier: null, oid: expect.any(String) });
      expect((await apply({}, {}, url)).ends).toEqual({ t: 'converged' });
    } finally {
      await database.exec(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  it('flags that the file answers are refused beside it, given by variables too', async () => {
    await saved();
    const flags: readonly RequestFlags[] = [
      { schema: ['t'] },
      { 'exclude-schema': ['x'] },
      { backend: ['a=b'] },
      { set: ['a=b'] },
      { phase: ['base'] },
      { allow: ['rebuild-index'] },
      { 'skip-extension-reconcile': true },
      { 'create-schema': true },
      { 'allow-empty': true },
      { shard: '0/2' },
    ];
    for (const one of flags) {
      const error = await refusal(() => apply(one));
      expect([error.code, error.message]).toEqual([
        'USAGE',
        expect.stringContaining(`--${Object.keys(one)[0]} cannot`),
      ]);
    }
    const run = await trueup(['apply', file], { TRUEUP_PHASE: 'base' });
    expect([run.status, run.stderr]).toEqual([1, expect.stringContaining('TRUEUP_PHASE')]);
    await untouched();
  });
});

describe('S3: with its id mended, a file is refused as a whole', () => {
  async function mended(edit: (plan: PlanFile) => PlanFile['approved']): Promise<void> {
    const approved = edit(JSON.parse(readFileSync(file, 'utf8')) as PlanFile);
    const plan = JSON.parse(readFileSync(file, 'utf8')) as PlanFile;
    writeFileSync(file, JSON.stringify({ ...plan, approved, planId: planId(approved) }));
  }
  const EVIL = 'CREATE TABLE public.evil ()';

  it('when SQL of a tenant was changed: none of it is executed, nobody is touched, tenant and change are named', async () => {
    await drifted('a', 'b');
    await saved();
    await mended(({ approved }) => ({
      ...approved,
      databases: approved.databases.map((one) => ({
        ...one,
        classes: one.classes.map((changes) => changes.map((change) => ({ ...change, statements: [EVIL] }))),
      })),
    }));
    const error = await refusal(apply);
    expect(error.code).toBe('PLAN_FILE_MISMATCH');
    expect(error.message).toMatch(/schema "a".*create-index items_name/u);
    expect(await indexes()).toEqual(['a.items_note', 'b.items_note']);
    expect(await database.query(`select from pg_class where relname = 'evil'`)).toEqual([]);
  });

  it('when a change, an owner or a change of the database was added', async () => {
    await drifted('a');
    await saved();
    const text = readFileSync(file, 'utf8');
    const change = (JSON.parse(text) as PlanFile).approved.databases[0]?.classes[0]?.[0];
    if (change === undefined) throw new Error('the plan holds no change');
    const extra = { ...change, object: 'evil', statements: [EVIL] };
    for (const part of [
      { classes: [[change, extra]] },
      { classes: [[]] },
      { changes: [extra] },
      { changes: [{ ...extra, action: 'create-extension' as const }] },
    ]) {
      writeFileSync(file, text);
      await mended(({ approved }) => ({
        ...approved,
        databases: approved.databases.map((one) => ({ ...one, ...part })),
      }));
      expect((await refusal(apply)).code, JSON.stringify(part)).toBe('PLAN_FILE_MISMATCH');
    }
    writeFileSync(file, text);
    await mended(({ approved }) => ({
      ...approved,
      databases: approved.databases.map((one) => ({
        ...one,
        tenants: one.tenants.map((drift) => ({ ...drift, owner: 'evil' })),
      })),
    }));
    expect((await refusal(apply)).code).toBe('PLAN_FILE_MISMATCH');
    expect(await indexes()).toEqual(['a.items_note']);
  });
});

describe('what shaped the plan comes from the file:', () => {
  const parameters = mkdtempSync(join(tmpdir(), 'trueup-saved-parameters-'));
  beforeAll(() => {
    writeFileSync(
      join(parameters, 'fleet.yaml'),
      `version: 1
tenants: { having_tables: [items], base_schema: { env: MAIN_SCHEMA } }
phases: [{ name: base, file: base.yaml }]
parameters:
  width: { type: integer, default: 8, env: WIDTH }
  extra: { type: integer, default: 4 }
overrides: [{ schemas: [narrow], parameters: { width: 5 } }]
`,
    );
    writeFileSync(
      join(parameters, 'base.yaml'),
      `tables:
  items:
    columns:
      id: { type: bigint, nullable: false }
      code: "varchar(\${width})"
      more: "varchar(\${extra})"
`,
    );
  });
  afterAll(() => rmSync(parameters, { recursive: true, force: true }));

  it('values of variables and flags hold for apply as well, whatever its own variables say, overrides as before', async () => {
    for (const schema of ['wide', 'narrow'])
      await database.exec(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.items (id bigint NOT NULL)`);
    const plan = await saved({ 'desired-state': parameters, set: ['extra=6'] }, { WIDTH: '12', MAIN_SCHEMA: 'wide' });
    expect(plan.approved.desiredState.parameters).toEqual({
      width: { value: 12, source: 'environment' },
      extra: { value: 6, source: 'flag' },
    });
    const run = await apply({}, { WIDTH: '99', MAIN_SCHEMA: 'other' });
    expect(run.ends).toEqual({ wide: 'converged', narrow: 'converged' });
    const columns = await database.query<{ is: string }>(
      `select a.attrelid::regclass || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) "is" from pg_attribute a
        where a.attname in ('code', 'more') and a.attrelid in ('wide.items'::regclass, 'narrow.items'::regclass) order by 1`,
    );
    expect(columns.map((row) => row.is)).toEqual([
      'narrow.items.code character varying(5)',
      'narrow.items.more character varying(6)',
      'wide.items.code character varying(12)',
      'wide.items.more character varying(6)',
    ]);
  });
});
