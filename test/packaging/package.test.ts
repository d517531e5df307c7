import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSmallExample } from '../support/docs.js';
import { type InstalledPackage, installPackage } from '../support/installed-package.js';

let installed: InstalledPackage;

beforeAll(() => {
  installed = installPackage();
}, 120_000);

afterAll(() => installed?.remove());

const read = (path: string): string => readFileSync(join(installed.root, path), 'utf8');

describe('the package', () => {
  it('holds the program, the library and its types, the desired state, the schemas and the docs, and nothing else', () => {
    const kinds = installed.files.map((path) =>
      path
        .replace(/^dist\/.*\.(js|d\.ts)$/u, 'dist/**.$1')
        .replace(/^desired-state\/.*\.yaml$/u, 'desired-state/**.yaml')
        .replace(/^dist\/report\/html\/assets\/[^/]*\.css$/u, 'dist/report/html/assets/*.css')
        .replace(/^dist\/(?:plan|report)\/schema\/[^/]*\.schema\.json$/u, 'dist/**/schema/*.schema.json')
        .replace(/^docs\/[^/]*\.md$/u, 'docs/*.md'),
    );
    expect([...new Set(kinds)].sort()).toEqual([
      'LICENSE',
      'README.md',
      'bin/run.js',
      'desired-state/**.yaml',
      'dist/**.d.ts',
      'dist/**.js',
      'dist/**/schema/*.schema.json',
      'dist/desired-state/shipped-files.json',
      'dist/oclif.manifest.json',
      'dist/pg_query.wasm',
      'dist/report/html/assets/*.css',
      'dist/third-party-licenses.txt',
      'dist/trueup.cjs',
      'docs/*.md',
      'package.json',
      'src/desired-state/schema/fleet.schema.json',
      'src/desired-state/schema/tables.schema.json',
    ]);
    expect(installed.files.filter((path) => /(?:^|\/)(?:test|bench|build)\/|\.test\./u.test(path))).toEqual([]);
  });

  it('has the schema that the head of each YAML file names where it names it', () => {
    const files = installed.files.filter((path) => path.endsWith('.yaml'));
    expect(files.length).toBeGreaterThan(5);
    for (const file of files) {
      const named = /^# yaml-language-server: \$schema=(\S+)\n/u.exec(read(file))?.[1];
      const path = relative(installed.root, resolve(installed.root, dirname(file), named ?? 'none'));
      expect(installed.files, file).toContain(path);
    }
  });

  it('has what README links to', () => {
    const links = [...read('README.md').matchAll(/\]\((?!https?:)([^)#]+)/gu)].map(([, path]) => path ?? '');
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((path) => !existsSync(join(installed.root, path)))).toEqual([]);
  });

  it('exports only what is there, and every schema', () => {
    const { exports } = JSON.parse(read('package.json')) as {
      exports: Record<string, string | Record<string, string>>;
    };
    const targets = Object.values(exports).flatMap((to) => (typeof to === 'string' ? [to] : Object.values(to)));
    expect(targets.filter((path) => !existsSync(join(installed.root, path)))).toEqual([]);
    const schemas = installed.files.filter((path) => path.endsWith('.schema.json')).map((path) => `./${path}`);
    expect(schemas.filter((path) => !targets.includes(path))).toEqual([]);
  });

  it('is built before it is packed', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    expect(scripts.prepack).toContain('npm run --silent build');
  });
});

describe('the program, installed elsewhere', () => {
  it('says its version and its help', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect(installed.trueup('--version')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(new RegExp(`^trueup/${version.replaceAll('.', '\\.')} `, 'u')) as string,
    });
    expect(installed.trueup('--help')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('$ trueup [COMMAND]') as string,
    });
    expect(installed.trueup('plan', '--help').stdout).toContain('EXIT CODES');
  });

  it('checks the desired state of the package, and one of the user', () => {
    const shipped = installed.trueup('validate');
    expect(shipped).toMatchObject({ status: 0, stderr: '' });
    expect(shipped.stdout).toContain(`${join(installed.root, 'desired-state')} is valid.`);
    writeSmallExample(installed.directory);
    const own = installed.trueup('validate');
    expect(own).toMatchObject({ status: 0, stderr: '' });
    expect(own.stdout).toContain(`${join(installed.directory, 'desired-state')} is valid.\n2 tables`);
  });

  it('plans on the embedded PostgreSQL', () => {
    writeSmallExample(installed.directory);
    const argv = ['plan', '--embedded', '--schema', 'shop_a', '--create-schema', '--detailed-exitcode'];
    const { status, stdout } = installed.trueup(...argv);
    expect(status).toBe(2);
    expect(stdout).toContain('Target: embedded postgresql');
    expect(stdout).toContain('Plan: 1 tenant to change');
  }, 120_000);
});

describe('the library, installed elsewhere', () => {
  it('gives every schema by its path', () => {
    const { exports } = JSON.parse(read('package.json')) as { exports: Record<string, unknown> };
    const paths = Object.keys(exports).flatMap((path) =>
      path.startsWith('./schema/') ? [`trueup${path.slice(1)}`] : [],
    );
    expect(paths.length).toBeGreaterThan(6);
    const script = `for (const path of ${JSON.stringify(paths)}) {
      const { default: schema } = await import(path, { with: { type: 'json' } });
      console.log(path, schema.$schema);
    }`;
    const { status, stdout } = installed.node('--no-warnings', '--input-type=module', '-e', script);
    expect(status).toBe(0);
    expect(stdout).toBe(paths.map((path) => `${path} http://json-schema.org/draft-07/schema#\n`).join(''));
  });
});
