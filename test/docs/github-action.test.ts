import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Parser } from '@oclif/core';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import Plan from '../../src/commands/plan.js';
import { blocksOf } from '../support/docs.js';

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: {
    readonly plan: { readonly if: string; readonly environment: string; readonly steps: readonly Step[] };
  };
}

const [text = ''] = blocksOf('docs/github-action.md', 'yaml');
const workflow = parse(text) as Workflow;
const { steps } = workflow.jobs.plan;
const scripts = steps.flatMap(({ name = '', run }) => (run === undefined ? [] : [{ name, run }]));
const scriptOf = (name: string): string => scripts.find((one) => one.name === name)?.run ?? 'exit 99';

describe('the workflow in docs/github-action.md', () => {
  it('has the secret only where a change of the repository itself is planned', () => {
    expect(Object.keys(workflow.on)).toEqual(['pull_request']);
    expect(workflow.jobs.plan.if).toBe('github.event.pull_request.head.repo.full_name == github.repository');
    expect(workflow.permissions).toEqual({ contents: 'read', 'pull-requests': 'write' });
    const secret = steps.filter((step) => JSON.stringify(step).includes('secrets.'));
    expect(secret.map(({ name }) => name)).toEqual(['Plan']);
  });

  it('takes of the change nothing but the desired state, and installs outside of it', () => {
    const checkout = steps.find(({ uses }) => uses?.startsWith('actions/checkout@'));
    expect(checkout?.with).toMatchObject({
      'sparse-checkout': '/desired-state/',
      'sparse-checkout-cone-mode': false,
      'persist-credentials': false,
    });
    expect(steps.find(({ name }) => name === 'Install')).toMatchObject({ 'working-directory': '${{ runner.temp }}' });
  });

  it.each(scripts)('has good shell in $name, into which nothing is pasted', ({ run }) => {
    expect(spawnSync('bash', ['-n', '-c', run]).status).toBe(0);
    expect(run).not.toContain('${{');
  });

  it('calls plan with flags that there are', async () => {
    const words = /bin\/trueup" plan ([^>]*)>/u.exec(scriptOf('Plan').replaceAll('\\\n', ''))?.[1];
    const input = { flags: { ...Plan.baseFlags, ...Plan.flags }, strict: true };
    const { flags } = await Parser.parse(words?.trim().split(/\s+/u) ?? [], input);
    expect(flags).toMatchObject({ 'detailed-exitcode': true, 'desired-state': 'desired-state' });
  });
});

describe('its scripts', () => {
  let temp: string;

  beforeEach(() => {
    temp = mkdtempSync(join(tmpdir(), 'trueup-action-'));
    onTestFinished(() => rmSync(temp, { recursive: true, force: true }));
    mkdirSync(join(temp, 'trueup', 'node_modules', '.bin'), { recursive: true });
    // Says which comments there are, and keeps what it is called with.
    program(
      'bin/gh',
      'printf "%s\\n" "$*" >>"$RUNNER_TEMP/calls"; case "$*" in *--jq*) cat "$RUNNER_TEMP/ids" ;; esac',
    );
    writeFileSync(join(temp, 'ids'), '');
  });

  function program(path: string, script: string): void {
    mkdirSync(join(temp, 'bin'), { recursive: true });
    writeFileSync(join(temp, path), `#!/usr/bin/env bash\n${script}\n`);
    chmodSync(join(temp, path), 0o755);
  }

  /** As GitHub runs a step with `shell: bash`. */
  function run(name: string, environment: Readonly<Record<string, string>>) {
    const env = {
      PATH: `${join(temp, 'bin')}:${process.env.PATH}`,
      RUNNER_TEMP: temp,
      GITHUB_OUTPUT: join(temp, 'output'),
      COMMENTS: 'repos/o/r/issues/7/comments',
      COMMENT: 'repos/o/r/issues/comments',
      COMMIT: 'abc123',
      ...environment,
    };
    const argv = ['--noprofile', '--norc', '-eo', 'pipefail', '-c', scriptOf(name)];
    const { status, stdout, stderr } = spawnSync('bash', argv, { env, encoding: 'utf8', cwd: temp });
    return { status, stdout, stderr };
  }

  function plan(planned: string, code: number): void {
    writeFileSync(join(temp, 'planned'), planned);
    program('trueup/node_modules/.bin/trueup', `cat "$RUNNER_TEMP/planned"; echo 'Warning: w' >&2; exit ${code}`);
    expect(run('Plan', {})).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(readFileSync(join(temp, 'output'), 'utf8')).toBe(`code=${code}\n`);
  }

  const calls = (): readonly string[] => readFileSync(join(temp, 'calls'), 'utf8').trimEnd().split('\n').slice(-1);
  const comment = (): string => readFileSync(join(temp, 'comment.md'), 'utf8');

  it('comment once, and update the comment after that', () => {
    plan('Plan: 3 tenants to change.\n````\n@somebody\n', 2);
    expect(run('Comment', { CODE: '2' }).status).toBe(0);
    expect(calls()).toEqual(['api --silent --method POST repos/o/r/issues/7/comments --field body=@comment.md']);
    expect(comment()).toBe(
      '<!-- trueup plan -->\n**trueup plan: changes are pending** (abc123)\n\n' +
        '    Warning: w\n    Plan: 3 tenants to change.\n    ````\n    @somebody\n',
    );
    writeFileSync(join(temp, 'ids'), '41\n42\n');
    expect(run('Comment', { CODE: '2' }).status).toBe(0);
    expect(calls()).toEqual(['api --silent --method PATCH repos/o/r/issues/comments/41 --field body=@comment.md']);
  });

  it('post nothing where it cannot be told which comments there are', () => {
    plan('Plan: nothing to do.\n', 0);
    program('bin/gh', 'echo "$*" >>"$RUNNER_TEMP/posted"; exit 1');
    expect(run('Comment', { CODE: '0' }).status).toBe(1);
    expect(readFileSync(join(temp, 'posted'), 'utf8')).not.toContain('POST');
  });

  it('cut what is longer than GitHub takes, at the end of a line', () => {
    plan('  + base  add-column  tabelle.größe\n'.repeat(5000), 2);
    expect(run('Comment', { CODE: '2' }).status).toBe(0);
    expect(comment().length).toBeLessThan(65_536);
    expect(comment().length).toBeGreaterThan(50_000);
    expect(comment()).toMatch(/tabelle\.größe\n\n\(cut: the whole plan is an artifact of this run\)\n$/u);
  });

  it.each([
    ['0', 0],
    ['2', 0],
    ['3', 1],
    ['4', 1],
    ['1', 1],
    ['', 1],
  ])('end, by the exit code %j of plan, with %i', (code, status) => {
    expect(run('Verdict', { CODE: code }).status).toBe(status);
    expect(existsSync(join(temp, 'calls'))).toBe(false);
  });
});
