import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/start/load-config.js';

const PROGRAM = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

function run(...argv: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...argv], { encoding: 'utf8', cwd: '/' });
  return { status, stdout, stderr };
}

type Commands = Awaited<ReturnType<typeof loadConfig>>['commands'];
let commands: Commands;

beforeAll(async () => {
  ({ commands } = await loadConfig(new URL('../../bin/run.js', import.meta.url).href, {}));
});

describe('every command', () => {
  it('says in its help what it does, with an example, and with the exit codes of success and of an error', () => {
    expect(commands.length).toBeGreaterThan(5);
    for (const { id, summary, description = '', examples = [] } of commands) {
      expect(summary, id).toMatch(/^[A-Z].*[.?]$/u);
      expect(examples.length, id).toBeGreaterThan(0);
      const codes = description.split('\nEXIT CODES\n')[1]?.matchAll(/^ {2}(\d+(?:, \d+)*) {2}\S/gmu) ?? [];
      expect([...codes].map(([, code]) => code).slice(0, 2), id).toEqual(['0', '1']);
    }
  });

  it('describes each of its flags, and names its value, or the values there are', () => {
    for (const { id, flags, args } of commands) {
      for (const flag of Object.values(flags)) {
        expect(flag.description, `${id} --${flag.name}`).toMatch(/\S/u);
        if (flag.type === 'option' && flag.options === undefined)
          expect(flag.helpValue, `${id} --${flag.name}`).toMatch(/^\[?[A-Z]/u);
      }
      for (const { name, description } of Object.values(args)) expect(description, `${id} ${name}`).toMatch(/\S/u);
    }
  });

  it('has the flags that examples use', () => {
    for (const { id, examples = [] } of commands) {
      for (const line of examples.map((example) => String(example).replaceAll('<%= config.bin %>', 'trueup'))) {
        const parts = [...line.matchAll(/trueup ([a-z-]+)([^&|>)]*)/gu)];
        expect(parts.length, `${id}: ${line}`).toBeGreaterThan(0);
        for (const [, name, rest = ''] of parts) {
          const known = Object.keys(commands.find((command) => command.id === name)?.flags ?? {});
          const used = [...rest.matchAll(/--([a-z-]+)/gu)].map(([, flag]) => flag);
          expect(known, line).toEqual(expect.arrayContaining(used));
        }
      }
    }
  });
});

describe('wrong usage', () => {
  it.each([
    [['pln'], 'unknown command pln', 'did you mean trueup plan?'],
    [['PLAN'], 'unknown command PLAN', 'did you mean trueup plan?'],
    [['help', 'aply'], 'unknown command aply', 'did you mean trueup apply?'],
    [['plna', '--help'], 'unknown command plna', 'did you mean trueup plan?'],
    [['plan', '--shema', 'x'], 'unknown flag --shema', 'did you mean --schema?'],
    [['plan', '--zzz'], 'unknown flag --zzz', 'see trueup plan --help'],
    [['plan', '--yes'], 'unknown flag --yes', '--yes is a flag of trueup apply'],
    [['plan', '--auto-approve'], 'unknown flag --auto-approve', '--auto-approve is a flag of trueup apply'],
    [['apply', '--sql=x'], 'unknown flag --sql', '--sql is a flag of trueup plan'],
    [['plan', 'x'], 'unexpected argument: x', 'see trueup plan --help'],
    [['plan', '--allow', 'all'], 'expected --allow=all to be one of: rebuild-index', 'see trueup plan --help'],
    [['plan', '--schema'], 'flag --schema expects a value', 'see trueup plan --help'],
    [['inspect'], 'the flag --schema is missing', 'see trueup inspect --help'],
    [['completion', 'tcsh'], 'expected tcsh to be one of: bash, zsh, fish', 'see trueup completion --help'],
    [['plan', '--create-schema'], 'all of the following must be provided when using --create-schema: --schema', 'see'],
    [['plan', '--database-url', 'x', '--embedded'], '--embedded cannot also be provided', 'see trueup plan --help'],
    [['apply', '--concurrency', 'many'], '--concurrency: Expected an integer but received: many', 'see trueup apply'],
  ])('is an error in the one form, with what was meant or where to look: %j', (argv, message, remedy) => {
    const { status, stdout, stderr } = run(...argv);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    const [first, second, third] = stderr.split('\n');
    expect(first).toContain(`Error: ${message}`);
    expect(second).toContain(`  try: ${remedy}`);
    expect(third).toBe('  code: USAGE');
  });
});
