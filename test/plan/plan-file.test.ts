import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Ajv } from 'ajv';
import { afterAll, describe, expect, it } from 'vitest';
import { type PlanFile, planId } from '../../src/plan/plan-file.js';
import { parsePlanFile, readPlanFile } from '../../src/plan/plan-file-read.js';
import { checkPlanFilePath, planFileOf, planFileText, writePlanFile } from '../../src/plan/plan-file-write.js';
import { planFileSchema } from '../../src/report/schemas.js';
import {
  addColumn,
  dropIndex,
  fleetPlan,
  member,
  missingMembers,
  refusedRebuild,
  tenant,
  tenants,
  waitingIndex,
} from '../support/plan-fixture.js';

const directory = mkdtempSync(join(tmpdir(), 'trueup-plan-file-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const fingerprint = `sha256:${'a'.repeat(64)}`;
const marked = <T>(list: readonly T[]) => list.map((one) => ({ ...one, fingerprint }));
const fleet = () =>
  fleetPlan({
    tenants: marked([
      tenant('s'),
      ...tenants(2, dropIndex('items_body')),
      tenant('m', missingMembers(member('acme'), member("o'brien", 'u')), addColumn('kind')),
      tenant('w', refusedRebuild, waitingIndex),
    ]),
    databaseChanges: [dropIndex('x')],
    unreadable: [{ database: 'main', schema: 'u', code: 'TENANT_UNREADABLE', message: 'permission denied' }],
  });
const file = planFileOf(fleet(), '0.1.0');
const text = (of: PlanFile = file) => [...planFileText(of)].join('');
const refusal = async (work: () => unknown) => {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was refused');
};

/** Every place in a value that holds a string, a number or a truth. */
function* leaves(value: unknown, path: readonly string[] = []): Iterable<readonly string[]> {
  if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) yield* leaves(inner, [...path, key]);
  else yield path;
}

function edited(path: readonly string[], to: (value: unknown) => unknown): string {
  const copy = structuredClone(file) as unknown;
  const parent = path.slice(0, -1).reduce((value, key) => (value as Record<string, unknown>)[key], copy) as Record<
    string,
    unknown
  >;
  const last = path.at(-1) ?? '';
  parent[last] = to(parent[last]);
  return JSON.stringify(copy);
}

describe('a plan file', () => {
  it('gives back what was written, and fits its published schema', () => {
    expect(parsePlanFile(text(), 'plan')).toEqual(file);
    const validate = new Ajv({ strict: true, allowUnionTypes: true, strictTypes: true }).compile(planFileSchema);
    expect(validate(JSON.parse(text())) ? [] : validate.errors).toEqual([]);
  });

  it('carries the id of the plan, which depends on what is approved and not on when it was made', () => {
    expect(file.planId).toBe(fleet().planId);
    expect(planFileOf({ ...fleet(), createdAt: new Date() }, '9.9.9').planId).toBe(file.planId);
    const other = fleetPlan({ tenants: marked([tenant('m', addColumn('sort'))]) });
    expect(other.planId).not.toBe(fleetPlan({ tenants: marked([tenant('m', addColumn('kind'))]) }).planId);
  });

  it('holds the statements of a drift class once, and the values of each of its tenants', () => {
    expect(text().match(/DROP INDEX CONCURRENTLY :\\"schema\\"\.items_body/gu)).toHaveLength(1);
    const [database] = file.approved.databases;
    expect(database?.tenants.map(({ schema, class: at, members }) => [schema, at, members])).toEqual([
      ['m', 1, [[member('acme'), member("o'brien", 'u')], null]],
      ['t1', 0, undefined],
      ['t2', 0, undefined],
      ['w', 2, undefined],
    ]);
    expect([database?.inSync, database?.unreadable]).toEqual([['s'], ['u']]);
  });

  it('R9: is refused when any value that was approved was edited, and when its id was', async () => {
    const places = [...leaves(file.approved, ['approved'])];
    expect(places.length).toBeGreaterThan(80);
    for (const path of [...places, ['planId']]) {
      const other = edited(path, (value) =>
        typeof value === 'boolean' ? !value : typeof value === 'number' ? value + 1 : `${value ?? ''}x`,
      );
      expect(await refusal(() => parsePlanFile(other, 'plan')), path.join('.')).toMatchObject({
        code: 'PLAN_FILE_INVALID',
      });
    }
  });

  it('R9: is refused when something was added or left out', async () => {
    for (const path of [
      'databases',
      'databases.0.tenants',
      'databases.0.tenants.0.members',
      'databases.0.classes',
      'databases.0.inSync',
      'asked.allow',
    ]) {
      const shorter = edited(['approved', ...path.split('.')], (value) => (value as unknown[]).slice(1));
      const longer = edited(['approved', ...path.split('.')], (value) => [
        ...(value as unknown[]),
        (value as unknown[])[0],
      ]);
      for (const other of [shorter, longer].filter((one) => !isDeepStrictEqual(JSON.parse(one), JSON.parse(text()))))
        expect(await refusal(() => parsePlanFile(other, 'plan')), path).toMatchObject({ code: 'PLAN_FILE_INVALID' });
    }
    const mended = structuredClone(file) as unknown as {
      approved: PlanFile['approved'] & { extra?: 1 };
      planId: string;
    };
    mended.approved.extra = 1;
    mended.planId = planId(mended.approved);
    expect(await refusal(() => parsePlanFile(JSON.stringify(mended), 'plan'))).toMatchObject({
      code: 'PLAN_FILE_INVALID',
    });
  });

  it('R9: of another format version is refused, whatever else it holds', async () => {
    for (const formatVersion of ['1.1', '2.0', '', null, 1, undefined])
      expect(
        await refusal(() => parsePlanFile(JSON.stringify({ format: file.format, formatVersion }), 'plan')),
      ).toMatchObject({ code: 'PLAN_FILE_VERSION' });
  });

  it('that points to changes it does not hold is refused, its id mended or not', async () => {
    const other = JSON.parse(edited(['approved', 'databases', '0', 'tenants', '0', 'class'], () => 99)) as PlanFile;
    const mended = { ...other, planId: planId(other.approved) };
    expect(await refusal(() => parsePlanFile(JSON.stringify(mended), 'plan'))).toMatchObject({
      code: 'PLAN_FILE_INVALID',
    });
  });
});

describe('on disk, a plan file', () => {
  const path = join(directory, 'plan.json');

  it('is readable for its owner alone, and replaces an older one as a whole', async () => {
    await writePlanFile(path, file);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const other = planFileOf(fleetPlan({ tenants: marked([tenant('m', addColumn('kind'))]) }), '0.1.0');
    await writePlanFile(path, other);
    expect(await readPlanFile(path)).toEqual(other);
    expect(readdirSync(directory)).toEqual(['plan.json']);
  });

  it('is written where a link points to, and into an empty file that was made ahead', async () => {
    const target = join(directory, 'target.json');
    const link = join(directory, 'link.json');
    writeFileSync(target, '', { mode: 0o644 });
    symlinkSync(target, link);
    await writePlanFile(link, file);
    expect(await readPlanFile(target)).toEqual(file);
    expect(statSync(target).mode & 0o777).toBe(0o600);
  });

  it('never replaces what is no plan file', async () => {
    const notes = join(directory, 'notes.txt');
    writeFileSync(notes, '{"formatVersion":"1.0"}');
    mkdirSync(join(directory, 'sub'));
    for (const at of [
      notes,
      join(directory, 'sub'),
      '/dev/null',
      join(directory, 'absent', 'plan.json'),
      `${notes}/x`,
    ]) {
      const expected = { code: 'PLAN_FILE_NOT_WRITTEN', options: { where: at } };
      expect(await refusal(() => checkPlanFilePath(at)), at).toMatchObject(expected);
      expect(await refusal(() => writePlanFile(at, file)), at).toMatchObject(expected);
    }
    expect(readFileSync(notes, 'utf8')).toBe('{"formatVersion":"1.0"}');
  });

  it('that is anything else is refused, soon and with one clear error', async () => {
    const garbage = join(directory, 'garbage');
    writeFileSync(garbage, Buffer.alloc(50 * 1024 * 1024, '{"a":['));
    const bomb = join(directory, 'bomb');
    writeFileSync(bomb, `{"format":"trueup-plan","formatVersion":"1.0","approved":${'['.repeat(500_000)}`);
    const cut = join(directory, 'cut');
    writeFileSync(cut, text().slice(0, -20));
    const empty = join(directory, 'empty');
    writeFileSync(empty, '');
    for (const at of [garbage, bomb, cut, empty, directory, '/dev/zero', join(directory, 'absent')]) {
      const from = performance.now();
      const error = await refusal(() => readPlanFile(at));
      expect(error, at).toMatchObject({
        code: 'PLAN_FILE_INVALID',
        options: { where: at, remedy: expect.any(String) },
      });
      expect((error as Error).message.length).toBeLessThan(300);
      expect(performance.now() - from, at).toBeLessThan(5000);
    }
  });

  it('of 50,000 tenants is written and read in seconds', async () => {
    const many = fleetPlan({
      tenants: Array.from({ length: 50_000 }, (_, at) => ({
        ...tenant(
          `tenant_${String(at).padStart(6, '0')}`,
          missingMembers(member(`shop${at}`), member(`shop${at}`, 'u')),
        ),
        fingerprint,
      })),
    });
    const large = join(directory, 'large.json');
    const from = performance.now();
    await writePlanFile(large, planFileOf(many, '0.1.0'));
    const read = await readPlanFile(large);
    const took = performance.now() - from;
    expect(read.planId).toBe(many.planId);
    expect(read.approved.databases[0]?.tenants).toHaveLength(50_000);
    console.info(`50,000 tenants: ${statSync(large).size} bytes, written and read in ${Math.round(took)} ms`);
    expect(took).toBeLessThan(45_000);
  });
});
