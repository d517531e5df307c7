import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import type { ApplyEvent } from '../../src/apply/events.js';
import { Log, type LogLevel } from '../../src/cli/log.js';
import { runObserver } from '../../src/cli/run-observer.js';
import { NO_PROGRESS } from '../../src/progress.js';
import { MemberNames } from '../../src/report/member-names.js';

const STEP: ApplyEvent = { kind: 'tenant-started', database: 'main', schema: 'acme', changes: 2 };
const END: ApplyEvent = {
  kind: 'tenant-finished',
  database: 'main',
  schema: 'acme',
  outcome: 'converged',
  failure: null,
};

/** What is logged and written of a step and of an end, and which of their schemas anybody asked for. */
function told(level: LogLevel, wantsLines: boolean) {
  const logged: string[] = [];
  const written: string[] = [];
  const read: string[] = [];
  const lines = new Writable({
    decodeStrings: false,
    write: (line: string, _, done) => {
      written.push(line);
      done();
    },
  });
  const observe = runObserver({
    lines: wantsLines ? lines : null,
    progress: NO_PROGRESS,
    log: new Log({ level, format: 'text', write: (line) => logged.push(line) }),
    names: new MemberNames([]),
    showValues: false,
  });
  for (const event of [STEP, END])
    observe(
      new Proxy(event, {
        get: (of, name) => {
          if (name === 'schema') read.push(of.kind);
          return Reflect.get(of, name);
        },
      }),
    );
  return { logged: logged.length, written: written.length, read };
}

it('a run’s events are logged by their weight, and written as lines whatever the level', () => {
  const kinds = ['tenant-started', 'tenant-finished'];
  expect(told('debug', false)).toEqual({ logged: 2, written: 0, read: kinds });
  expect(told('info', false)).toEqual({ logged: 1, written: 0, read: ['tenant-finished'] });
  expect(told('warn', true)).toEqual({ logged: 0, written: 2, read: kinds });
});

it('an event that nobody reads is not made into a document: a run has several of a tenant', () => {
  expect(told('warn', false)).toEqual({ logged: 0, written: 0, read: [] });
});

it('where a run begins and ends is marked on the process’s timeline, and nothing else is', () => {
  performance.clearMarks();
  const observe = runObserver({
    lines: null,
    progress: NO_PROGRESS,
    log: new Log({ level: 'warn', format: 'text', write: () => {} }),
    names: new MemberNames([]),
    showValues: false,
  });
  const run = { database: 'main', tenants: 1 };
  const events: ApplyEvent[] = [
    { kind: 'run-started', ...run, pending: 1 },
    { kind: 'batch-started', ...run },
    STEP,
    END,
    { kind: 'run-finished', database: 'main', outcomes: {} },
  ];
  for (const event of events) observe(event);
  const marks = performance.getEntriesByType('mark').map(({ name }) => name);
  expect(marks).toEqual(['trueup run-started', 'trueup run-finished']);
});
