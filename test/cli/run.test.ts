import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const PROGRAM = fileURLToPath(new URL('fixture/bin/run.js', import.meta.url));
const SHIPPED = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const DEVELOPMENT = fileURLToPath(new URL('../../bin/dev.js', import.meta.url));

function run(argv: readonly string[], environment: Record<string, string> = {}, program = PROGRAM) {
  const { DEBUG: _, ...inherited } = process.env;
  const options = { encoding: 'utf8', cwd: '/', env: { ...inherited, ...environment } } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...argv], options);
  return { status, stdout, stderr };
}

describe('the program', () => {
  it('ends with the code that the command gives', () => {
    const { status, stdout, stderr } = run(['sample', '--exit-code', '3']);
    expect({ status, stdout, stderr }).toEqual({ status: 3, stdout: 'in words\n', stderr: 'Warning: mind this\n' });
  });

  it('prints one JSON document and nothing else', () => {
    const argv = ['sample', '--embedded', '--schema', 'a', '--schema', 'b', '--json', 'file'];
    const { status, stdout } = run(argv, { TRUEUP_ALLOW: 'rebuild-index,rebuild-column' });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      flags: { embedded: ':memory:', schema: ['a', 'b'], allow: ['rebuild-index', 'rebuild-column'] },
      args: { file: 'file' },
    });
  });

  it('shows an error in one form, without passwords and control characters', () => {
    const { status, stdout, stderr } = run(['sample', '--end', 'known']);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toBe(
      [
        'Error: no tenant named "te\\x1b[31mnant"',
        '  at postgresql://u:***@host/db',
        '  try: name one',
        '  code: NO_TENANT',
        'Error: another',
        '  code: UNKNOWN_SCHEMA',
        '',
      ].join('\n'),
    );
  });

  it('shows an error as the one document with --json', () => {
    const { status, stdout } = run(['sample', '--end', 'known', '--json']);
    expect(status).toBe(1);
    expect(stdout).not.toContain('hunter22');
    expect(JSON.parse(stdout)).toMatchObject({
      formatVersion: '1.0',
      error: { code: 'NO_TENANT', remedy: 'name one', others: [{ code: 'UNKNOWN_SCHEMA', where: null }] },
    });
  });

  it.each([
    [['sample', '--shcema=x'], 'did you mean --schema?'],
    [['smaple'], 'did you mean fixture sample?'],
    [['sample', '--allow', 'all'], 'see fixture sample --help'],
    [['--schema', 'x'], 'write fixture COMMAND --schema'],
  ])('ends with 1 on wrong usage, and says what was meant: %j', (argv, remedy) => {
    const { status, stdout } = run(argv, { TRUEUP_JSON: '1' });
    expect(status).toBe(1);
    const { error } = JSON.parse(stdout) as { error: { code: string; remedy: string } };
    expect(error.code).toBe('USAGE');
    expect(error.remedy).toContain(remedy);
  });

  it('keeps the document of a command that fails after it', () => {
    const { stdout, stderr } = run(['sample', '--end', 'twice', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ all: 'well' });
    expect(stderr).toContain('too late for a document');
  });

  it('shows what nobody foresaw as a bug, at no length, its stack only for DEBUG', () => {
    const short = run(['sample', '--end', 'bug']);
    expect(short.status).toBe(1);
    expect(short.stderr).toContain('code: INTERNAL');
    expect(short.stderr.length).toBeLessThan(3000);
    expect(short.stderr).not.toContain('hunter22');
    const late = run(['sample', '--end', 'late'], { DEBUG: 'trueup' });
    expect(late.status).toBe(1);
    expect(late.stderr).toContain('sample.ts');
  });

  it('says that the current directory is gone, where it is: that is no bug', () => {
    const script = 'cd "$(mktemp -d)" && rmdir "$PWD" && exec "$0" "$1" validate';
    const { status, stderr } = spawnSync('sh', ['-c', script, process.execPath, SHIPPED], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'Error: the current directory is gone\n  try: change to another one\n  code: USAGE\n',
    });
  });

  it('goes on to its end when nobody reads its output', async () => {
    const child = spawn(process.execPath, [PROGRAM, 'sample', '--end', 'long'], { stdio: ['ignore', 'pipe', 'pipe'] });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect({ code, errors }).toEqual({ code: 0, errors: 'went on to its end\n' });
  });

  it('gives help and version with 0', () => {
    expect(run([])).toMatchObject({ status: 0, stdout: expect.stringContaining('sample') as string });
    expect(run(['sample', '--help'])).toMatchObject({ status: 0, stdout: expect.stringContaining('[DIR]') as string });
    expect(run(['--version'], {}, DEVELOPMENT).stdout).toMatch(/^trueup\/\d/);
  });
});
