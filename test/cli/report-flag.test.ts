import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RunReport } from '../../src/cli/report-flag.js';
import { DatabaseError } from '../../src/database/session.js';
import { TrueupError } from '../../src/trueup-error.js';
import { addColumn, ended, fleetOutcome, fleetPlan, tenants } from '../support/plan-fixture.js';

const plan = fleetPlan({ tenants: tenants(3, addColumn('kind')) });
let work: string;
let path: string;

beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'trueup-report-'));
  path = join(work, 'report.html');
});
afterEach(() => rmSync(work, { recursive: true, force: true }));

const page = (): string => readFileSync(path, 'utf8');
const at = (showValues = false) => RunReport.at(path, { showValues });

describe('the report of a run that an error ends', () => {
  it('says what had been begun and what had ended by then', async () => {
    const report = await at();
    report.observe({ kind: 'tenant-started', database: 'main', schema: 't1', changes: 1 });
    report.observe({ kind: 'tenant-started', database: 'main', schema: 't2', changes: 1 });
    report.observe({ kind: 'tenant-finished', database: 'main', schema: 't1', outcome: 'converged', failure: null });
    expect(await report.breakOff(plan, new Error('no such thing'))).toBeNull();
    expect(page()).toContain('<strong>Apply broke off.</strong> this is a bug in trueup: no such thing');
    expect(page()).toContain('1 tenant had ended by then; of 1 tenant that had been begun the end is not known.');
    expect(page()).toContain('data-label="begun, end unknown, class 1"><div>t2</div>');
  });

  it('shows no password and, unless asked, no value of a row (R13, S2)', async () => {
    const thrown = new TrueupError('CONNECTION_FAILED', 'Key (name)=(acme) is not at postgresql://u:secret@db/app', {
      where: 'postgresql://u:secret@db/app',
    });
    await (await at()).breakOff(plan, thrown);
    expect(page()).toContain('CONNECTION_FAILED');
    expect(page()).not.toMatch(/secret|acme/u);
    await (await at(true)).breakOff(plan, thrown);
    expect(page()).toContain('acme');
    expect(page()).not.toContain('secret');
  });

  it('shows an error of the server as commands do', async () => {
    const report = await at();
    await report.breakOff(plan, new DatabaseError('terminating connection', '57P01'));
    expect(page()).toContain('CONNECTION_FAILED</code> (SQLSTATE 57P01)');
  });
});

describe('the report of a run', () => {
  it('replaces an older one, and no other file that has come to stand there', async () => {
    const report = await at();
    await report.write(plan, { kind: 'awaiting' });
    expect(await report.end(plan, fleetOutcome([ended('t1', 'converged')]), null)).toBeNull();
    expect(page()).toContain('<h1>1 of 3 tenants converged</h1>');
    await expect(at()).resolves.toBeInstanceOf(RunReport);
    writeFileSync(path, '');
    await expect(at()).resolves.toBeInstanceOf(RunReport);
    writeFileSync(path, '<!doctype html>\n<html lang="en">');
    await expect(at()).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITTEN' });
  });

  it('is not begun where its file could not be written, or is another’s', async () => {
    const refused = (at: string, others: readonly string[] = []) => RunReport.at(at, { showValues: false, others });
    await expect(refused(work)).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITTEN' });
    await expect(refused(join(work, 'none', 'report.html'))).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITTEN' });
    await expect(refused(path, [join(work, '.', 'report.html')])).rejects.toMatchObject({ code: 'USAGE' });
    await expect(refused(path, [join(work, 'plan.json')])).resolves.toBeInstanceOf(RunReport);
  });

  it('gives an error of the end back, and throws one of the beginning', async () => {
    const report = await at();
    rmSync(work, { recursive: true });
    const outcome = fleetOutcome([]);
    expect(await report.end(plan, outcome, null)).toMatchObject({ code: 'OUTPUT_NOT_WRITTEN' });
    await expect(report.write(plan, { kind: 'begun' })).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITTEN' });
  });

  it('is nothing where none was asked for', async () => {
    const report = await RunReport.at(undefined, { showValues: false });
    await report.write(plan, { kind: 'begun' });
    expect(await report.end(plan, fleetOutcome([]), null)).toBeNull();
  });
});
