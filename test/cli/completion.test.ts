import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CompletedProgram, completedProgram } from '../../src/cli/completion/model.js';
import { completionScript, SHELLS } from '../../src/cli/completion/shells.js';
import { loadConfig } from '../../src/start/load-config.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PROGRAM = join(ROOT, 'bin', 'run.js');

let directory: string;
let program: CompletedProgram;
const scriptOf = (shell: string): string => join(directory, `script.${shell}`);

beforeAll(async () => {
  execFileSync(fileURLToPath(new URL('../support/install-shells.sh', import.meta.url)), { timeout: 240_000 });
  directory = mkdtempSync(join(tmpdir(), 'trueup-completion-'));
  for (const name of ['friday state', 'desired']) mkdirSync(join(directory, name));
  writeFileSync(join(directory, 'friday.plan.json'), '');
  program = completedProgram(await loadConfig(new URL('../../bin/run.js', import.meta.url).href, {}));
  for (const shell of SHELLS) writeFileSync(scriptOf(shell), completionScript(shell, program));
}, 250_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function ran(command: string, argv: readonly string[]): string {
  const options = {
    encoding: 'utf8',
    cwd: directory,
    timeout: 20_000,
    env: { ...process.env, HOME: directory },
  } as const;
  const { status, stdout, stderr } = spawnSync(command, argv, options);
  expect(status, stderr).toBe(0);
  return stdout;
}

/** What bash offers for a line, cut into words as readline cuts it: at blanks and around `=`. */
function offeredByBash(line: string): readonly string[] {
  const words = line.split(/ |(=)/u).filter((word) => word !== undefined);
  const script = `source ${scriptOf('bash')}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
    function=$(complete -p trueup | sed 's/.*-F \\([^ ]*\\) .*/\\1/'); "$function"; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return ran('bash', ['--norc', '-c', script, 'bash', ...words])
    .split('\n')
    .filter(Boolean)
    .sort();
}

const offeredByFish = (line: string): readonly string[] =>
  ran('fish', ['--no-config', '-c', `source ${scriptOf('fish')}; complete -C ${JSON.stringify(line)}`])
    .split('\n')
    .filter(Boolean)
    .map((one) => one.replace(/\t.*$/u, ''))
    .sort();

/** What an interactive zsh makes of lines. */
function linesOfZsh(lines: readonly string[]): readonly string[] {
  const tab = fileURLToPath(new URL('../support/zsh-tab.zsh', import.meta.url));
  const printed = ran('zsh', ['-f', tab, scriptOf('zsh'), join(directory, 'pipe'), ...lines]);
  return printed.split('\n').flatMap((line) => /^<(.*)>$/u.exec(line)?.[1] ?? []);
}

describe('what a command line may consist of', () => {
  it('is every command, with every flag that its help shows, aliases among them', () => {
    const names = program.commands.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['apply', 'completion', 'demo', 'inspect', 'plan', 'validate']));
    const flags = program.commands.find(({ name }) => name === 'apply')?.flags ?? [];
    expect(flags.map(({ name }) => name)).toEqual(expect.arrayContaining(['yes', 'auto-approve', 'json', 'help']));
    const values = Object.fromEntries(flags.map((flag) => [flag.name, flag.values?.kind]));
    expect(values).toMatchObject({ allow: 'words', embedded: 'directories', schema: 'anything', yes: undefined });
    expect(program.commands.find(({ name }) => name === 'plan')?.flags).toContainEqual(
      expect.objectContaining({ name: 'out', values: { kind: 'files' } }),
    );
  });
});

describe.each(SHELLS)('the script for %s', (shell) => {
  it('is what the command prints, and is good in that shell', () => {
    const { stdout, status } = spawnSync(process.execPath, [PROGRAM, 'completion', shell], { encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 0, stdout: completionScript(shell, program) });
    ran(shell, ['-n', scriptOf(shell)]);
  });
});

describe('bash', () => {
  it.each([
    ['trueup pl', ['plan']],
    ['trueup --v', ['--version']],
    ['trueup help val', ['validate']],
    ['trueup plan --det', ['--detailed-exitcode']],
    ['trueup plan --allow ', ['rebuild-column', 'rebuild-index']],
    ['trueup plan --allow=rebuild-i', ['rebuild-index']],
    ['trueup plan --allow=', ['rebuild-column', 'rebuild-index']],
    ['trueup plan --desired-state ', ['desired', 'friday state']],
    ['trueup plan --embedded --det', ['--detailed-exitcode']],
    ['trueup plan --schema ', []],
    ['trueup plan ', []],
    ['trueup apply fri', ['friday state', 'friday.plan.json']],
    ['trueup completion ', ['bash', 'fish', 'zsh']],
  ])('offers for %j: %j', (line, offered) => {
    expect(offeredByBash(line)).toEqual(offered);
  });
});

describe('fish', () => {
  it.each([
    ['trueup pl', ['plan']],
    ['trueup help val', ['validate']],
    ['trueup plan --det', ['--detailed-exitcode']],
    ['trueup plan --allow ', ['rebuild-column', 'rebuild-index']],
    ['trueup plan --desired-state ', ['desired/', 'friday state/']],
    ['trueup plan --schema ', []],
    ['trueup apply friday.', ['friday.plan.json']],
    ['trueup completion ', ['bash', 'fish', 'zsh']],
  ])('offers for %j: %j', (line, offered) => {
    expect(offeredByFish(line)).toEqual(offered);
  });
});

describe('zsh', () => {
  const completed = {
    'trueup pla': 'trueup plan ',
    'trueup help val': 'trueup help validate ',
    'trueup plan --detai': 'trueup plan --detailed-exitcode ',
    'trueup plan --allow rebuild-c': 'trueup plan --allow rebuild-column ',
    'trueup plan --allow=rebuild-i': 'trueup plan --allow=rebuild-index ',
    'trueup plan --desired-state des': 'trueup plan --desired-state desired/',
    'trueup apply friday.': 'trueup apply friday.plan.json ',
    'trueup completion fi': 'trueup completion fish ',
    'trueup plan --schema x': 'trueup plan --schema x',
  };

  it('completes what TAB is pressed after, in an interactive shell', () => {
    expect(linesOfZsh(Object.keys(completed))).toEqual(Object.values(completed));
  });
});
