import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { checkOutputFile } from '../../src/cli/output-file.js';
import Plan from '../../src/commands/plan.js';
import { tenantList } from '../../src/report/tenant-list.js';
import { TENANT_LIST_SIGNATURE } from '../../src/report/tenant-list-columns.js';
import { loadConfig } from '../../src/start/load-config.js';
import { fleetPlan, tenant } from '../support/plan-fixture.js';
import { temporaryDirectory } from '../support/temporary.js';

const KIND = { name: 'tenant list', signature: TENANT_LIST_SIGNATURE };

let path: string;
beforeEach(() => {
  path = join(temporaryDirectory('output-file'), 'tenants.csv');
});

const check = () => checkOutputFile(path, 'tenant-list', KIND);

describe('a list of tenants', () => {
  it('may replace an older one, and an empty file', async () => {
    await expect(check()).resolves.toBeUndefined();
    writeFileSync(path, '');
    await expect(check()).resolves.toBeUndefined();
    writeFileSync(path, tenantList(fleetPlan({ tenants: [tenant('a')] })));
    await expect(check()).resolves.toBeUndefined();
  });

  it.each([
    ['a desired state', 'version: 1\ntenants: { having_tables: [notes] }\n'],
    ['a saved plan', '{"format":"trueup-plan","formatVersion":1}\n'],
    ['another list', 'database,schema,state,class,changes,owner\nmain,a,in-sync,,,me\n'],
    ['a file shorter than its head line', 'database\n'],
  ])('leaves %s alone', async (_, text) => {
    writeFileSync(path, text);
    await expect(check()).rejects.toMatchObject({
      code: 'OUTPUT_NOT_WRITTEN',
      message: `${path} is there already, and is no tenant list of trueup`,
      options: { where: '--tenant-list', remedy: 'name a file that does not exist, or an older tenant list' },
    });
    expect(readFileSync(path, 'utf8')).toBe(text);
  });
});

describe('plan', () => {
  const plan = async (...argv: readonly string[]) => {
    const config = await loadConfig(new URL('../../bin/dev.js', import.meta.url).href, { development: true });
    const shipped = new URL('../../desired-state', import.meta.url).pathname;
    // No server is at this address: a run that got so far would say so.
    const server = ['--database-url', 'postgresql://nobody@127.0.0.1:1/none'];
    return Plan.run(['--desired-state', shipped, ...server, '--quiet', ...argv], config);
  };

  it('refuses --tenant-list of a file that is something else, before it looks at a database', async () => {
    writeFileSync(path, 'version: 1\n');
    await expect(plan('--tenant-list', path)).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITTEN' });
    expect(readFileSync(path, 'utf8')).toBe('version: 1\n');
  });

  it.each(['--out', '--report'])('refuses one file for --tenant-list and %s', async (flag) => {
    await expect(plan('--tenant-list', path, flag, path)).rejects.toMatchObject({
      code: 'USAGE',
      message: `${path} is named twice`,
    });
  });
});
