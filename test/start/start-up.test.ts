import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Module } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import { describe, expect, it, onTestFinished } from 'vitest';
import { validateFleet, validateTables } from '../../src/desired-state/document-validators.js';
import { COMMAND_MODULES } from '../../src/start/command-modules.js';
import { loadCommands, loadConfig } from '../../src/start/load-config.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const HOOK = new URL('../support/log-imports.mjs', import.meta.url).href;

const START = pathToFileURL(join(ROOT, 'dist', 'start', 'start.js')).href;
const BIN = pathToFileURL(join(ROOT, 'bin', 'run.js')).href;
const UNBUNDLED = `process.argv.splice(1, 0, ''); (await import('${START}')).start('${BIN}')`;

/**
 * The modules that the program imports for a command line; those of the package by their path below its root. Outside of
 * the bundle, which runs the same of them.
 */
function imported(
  argv: readonly string[],
  program = ['--input-type=module', '--eval', UNBUNDLED, '--'],
): readonly string[] {
  const { status, stderr } = spawnSync(process.execPath, ['--import', HOOK, ...program, ...argv], {
    encoding: 'utf8',
    cwd: ROOT,
  });
  expect(status, stderr).toBe(0);
  return stderr.split('\n').flatMap((line) => /^import file:\/\/(.*)$/u.exec(line)?.[1]?.replace(ROOT, '') ?? []);
}

/** How many functions of WebAssembly V8 optimises while a command line runs. */
function optimised(argv: readonly string[]): number {
  const program = ['--trace-wasm-compilation-times', join(ROOT, 'bin', 'run.js'), ...argv];
  const { stdout } = spawnSync(process.execPath, program, { encoding: 'utf8', cwd: ROOT, maxBuffer: 2 ** 28 });
  expect(stdout).toContain('using Liftoff');
  return stdout.match(/^Compiled function .* using TurboFan/gmu)?.length ?? 0;
}

/** A package whose one command cannot be imported. */
function brokenPackage(manifest: boolean): string {
  const root = mkdtempSync(join(tmpdir(), 'trueup-start-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const version = '1.2.3';
  write('package.json', JSON.stringify({ name: 'probe', version, type: 'module', oclif: { bin: 'probe' } }));
  write('dist/commands/boom.js', "throw new Error('imported');");
  const boom = { id: 'boom', summary: 'Goes off.', aliases: [], hiddenAliases: [], args: {}, flags: {} };
  if (manifest) write('dist/oclif.manifest.json', JSON.stringify({ version, commands: { boom } }));
  return pathToFileURL(join(root, 'bin', 'run.js')).href;
}

describe('the start', () => {
  it('asks the manifest of the build what commands there are, and imports none of them', async () => {
    const config = await loadConfig(brokenPackage(true), {});
    expect(config.findCommand('boom')).toMatchObject({ id: 'boom', summary: 'Goes off.' });
  });

  it('imports the commands where there is no manifest, or where it is to be made', async () => {
    await expect(loadCommands(brokenPackage(false), {})).rejects.toThrow('imported');
    await expect(loadCommands(brokenPackage(true), { ignoreManifest: true })).rejects.toThrow('imported');
  });

  it('loads no command for help', () => {
    for (const argv of [['--help'], ['apply', '--help'], ['--version']]) {
      const modules = imported(argv);
      expect(modules).toContain('dist/start/main.js');
      expect(
        modules.filter((path) =>
          /^dist\/(?!start\/|cli\/|database\/|trueup-error|did-you-mean|format-version|optimise-late|spelt-out|webassembly-tiers)/u.test(
            path,
          ),
        ),
      ).toEqual([]);
    }
  });

  it('loads for validate neither another command nor a database driver, and compiles no schema', () => {
    const modules = imported(['validate', '--desired-state', join(ROOT, 'desired-state')]);
    expect(modules.filter((path) => path.startsWith('dist/commands/'))).toEqual(['dist/commands/validate.js']);
    expect(modules.filter((path) => /node_modules\/(?:pg|ajv|@electric-sql)\//u.test(path))).toEqual([]);
    expect(modules.filter((path) => /^dist\/(?:apply|plan|catalog|inspect|report|demo)\//u.test(path))).toEqual([]);
  });

  it('reads one file that the build has made of all modules, and what V8 had compiled of it', () => {
    const modules = imported(
      ['validate', '--desired-state', join(ROOT, 'desired-state')],
      [join(ROOT, 'bin', 'run.js')],
    );
    expect(modules).toEqual(['bin/run.js', 'dist/start/launch.js']);
    const source = Module.wrap(readFileSync(join(ROOT, 'dist', 'trueup.cjs'), 'latin1'));
    const cachedData = readFileSync(join(ROOT, 'dist', 'trueup.cjs.cache'));
    expect(new Script(source, { cachedData }).cachedDataRejected).toBe(false);
    // How WebAssembly begins, as base64.
    expect(source).not.toContain('AGFzbQ');
  });

  it('loads nothing of fetch to connect to a server', () => {
    const tell = 'data:text/javascript,process.on("exit", () => console.error(process.moduleLoadList.join("\\n")))';
    const argv = [
      '--import',
      tell,
      join(ROOT, 'bin', 'run.js'),
      'plan',
      '--database-url',
      'postgresql://u@127.0.0.1:1/d',
    ];
    const { stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', cwd: ROOT });
    expect(stderr).toContain('CONNECTION_FAILED');
    expect(stderr).toContain('NativeModule dns');
    expect(stderr).not.toContain('undici');
  });

  it('compiles that file where what V8 had compiled is missing, or another version of Node made it', () => {
    const copy = mkdtempSync(join(ROOT, 'node_modules', '.start-up-'));
    onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
    for (const part of ['bin', 'dist', 'desired-state', 'package.json']) {
      cpSync(join(ROOT, part), join(copy, part), { recursive: true });
    }
    const cache = join(copy, 'dist', 'trueup.cjs.cache');
    const says = (): string => spawnSync(process.execPath, [join(copy, 'bin', 'run.js'), 'validate']).stdout.toString();
    const expected = says();
    expect(expected).toContain(' is valid.');
    for (const content of [Buffer.alloc(1000, 1), Buffer.alloc(0), readFileSync(cache).subarray(0, 100_000)]) {
      writeFileSync(cache, content);
      expect(says()).toBe(expected);
    }
    rmSync(cache);
    expect(says()).toBe(expected);
  });

  it('knows a module for each command of the manifest', () => {
    const manifest = readFileSync(join(ROOT, 'dist', 'oclif.manifest.json'), 'utf8');
    const { commands } = JSON.parse(manifest) as { readonly commands: Readonly<Record<string, unknown>> };
    expect([...COMMAND_MODULES.keys()]).toEqual(Object.keys(commands).sort());
  });

  it('leaves the SQL parser unoptimised, and the embedded PostgreSQL not', () => {
    const files = ['--desired-state', join(ROOT, 'desired-state')];
    expect(optimised(['validate', ...files])).toBe(0);
    expect(optimised(['plan', ...files, '--database-url', 'pglite://'])).toBeGreaterThan(0);
  });

  it('holds files to the same schemas in the build as in the sources', async () => {
    const url = new URL('../../dist/desired-state/document-validators.js', import.meta.url).href;
    const built = (await import(url)) as { validateFleet: typeof validateFleet; validateTables: typeof validateTables };
    const wrong = [{}, { version: 2, phases: [{ name: 'Base!' }], tenant: 1 }, { tables: { t: { colums: [] } } }, []];
    for (const document of wrong) {
      for (const name of ['validateFleet', 'validateTables'] as const) {
        const [source, generated] = [{ validateFleet, validateTables }[name], built[name]];
        expect(generated(document)).toBe(source(document));
        expect(generated.errors).toEqual(source.errors);
      }
    }
    expect('ajv' in built).toBe(false);
  });
});
