import { readFileSync } from 'node:fs';
import { Parser } from '@oclif/core';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseDuration } from '../../src/cli/durations.js';
import { parseShard, runOptionsOf } from '../../src/cli/run-flags.js';
import Apply from '../../src/commands/apply.js';
import Plan from '../../src/commands/plan.js';
import Validate from '../../src/commands/validate.js';

const COMMANDS = { apply: Apply, plan: Plan, validate: Validate } as const;

const read = (file: string): string => readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8');
const blocks = (text: string, language: string): readonly string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gmu'))].map((found) => found[1] ?? '');

async function parsed(name: string, words: readonly string[]) {
  const command = COMMANDS[name as keyof typeof COMMANDS];
  if (command === undefined) throw new Error(`no command ${name}`);
  const input = { flags: { ...command.baseFlags, ...command.flags }, args: command.args, strict: command.strict };
  return Parser.parse([...words], input);
}

describe('the examples in docs', () => {
  it.each(['operations.md', 'commands.md'])('%s: name commands and flags that there are', async (file) => {
    const lines = blocks(read(file), 'sh').flatMap((block) => block.split('\n'));
    const commands = lines.flatMap((line) => /^trueup (plan|apply|validate)\b([^#>|]*)/u.exec(line) ?? []);
    expect(commands.length).toBeGreaterThan(3);
    for (let at = 0; at < commands.length; at += 3) {
      const words = (commands[at + 2] ?? '').trim().split(/\s+/u).filter(Boolean);
      await expect(parsed(commands[at + 1] ?? '', words), commands[at]).resolves.toBeDefined();
    }
  });
});

interface Job {
  readonly completions?: number;
  readonly activeDeadlineSeconds: number;
  readonly template: {
    readonly spec: {
      readonly terminationGracePeriodSeconds: number;
      readonly restartPolicy: string;
      readonly containers: readonly { readonly args: readonly string[] }[];
    };
  };
}

const jobs = blocks(read('operations.md'), 'yaml')
  .map((text) => parse(text) as { kind?: string; spec: Job & { jobTemplate?: { spec: Job } } })
  .flatMap(({ kind, spec }) => (kind === undefined ? [] : [{ kind, job: spec.jobTemplate?.spec ?? spec }]));

describe.each(jobs)('the $kind in docs/operations.md', ({ job }) => {
  const pod = job.template.spec;
  const command = pod.containers[0]?.args[0] ?? '';

  it('runs apply with flags that there are, one part of as many as there are pods', async () => {
    const words = command.replace(/^exec trueup apply /u, '').replace('"$JOB_COMPLETION_INDEX/8"', '3/8');
    expect(words).not.toContain('"');
    const { flags } = await parsed('apply', words.trim().split(/\s+/u));
    const { shard } = flags as { readonly shard?: unknown };
    expect(shard === undefined ? undefined : parseShard(String(shard)).count).toBe(job.completions);
    const run = runOptionsOf(flags as unknown as Parameters<typeof runOptionsOf>[0]);
    expect(run.deadline?.getTime()).toBeLessThan(Date.now() + job.activeDeadlineSeconds * 1000);
    expect(parseDuration(String(flags['drain-timeout']), 'drain-timeout')).toBeLessThan(
      pod.terminationGracePeriodSeconds * 1000,
    );
  });

  it('leaves trying again to the job', () => {
    expect(pod.restartPolicy).toBe('Never');
  });
});

it('a job of parts and a routine run are there', () => {
  expect(jobs.map(({ kind }) => kind)).toEqual(['Job', 'CronJob']);
});
