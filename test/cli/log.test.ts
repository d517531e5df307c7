import { describe, expect, it } from 'vitest';
import { logEvent } from '../../src/cli/event-log.js';
import { Log, type LogFormat, type LogLevel } from '../../src/cli/log.js';
import { loggedProgress } from '../../src/cli/logged-progress.js';
import { statementLog } from '../../src/cli/statement-log.js';
import { change } from '../../src/diff/change.js';
import { NO_PROGRESS } from '../../src/progress.js';
import { eventDocument } from '../../src/report/apply-events.js';
import { MemberNames } from '../../src/report/member-names.js';

const AT = new Date('2030-01-31T04:30:00Z');

function logOf(level: LogLevel, format: LogFormat = 'text') {
  const lines: string[] = [];
  return { log: new Log({ level, format, write: (line) => void lines.push(line), now: () => AT }), lines };
}

describe('the log', () => {
  it('tells what its level includes, and always what answers the operator', () => {
    const { log, lines } = logOf('warn');
    log.warn('mind this');
    log.info('this is going on');
    log.notice('SIGINT: nothing new is begun');
    expect(lines).toEqual(['Warning: mind this', 'SIGINT: nothing new is begun']);
    const silent = logOf('error');
    silent.log.warn('mind this');
    expect(silent.lines).toEqual([]);
  });

  it('writes a JSON document a line, with what programs want beside the message', () => {
    const { log, lines } = logOf('debug', 'json');
    log.debug('sent: SELECT 1', { statement: { bytes: 8 } });
    log.warn('of two\nlines');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { time: AT.toISOString(), level: 'debug', message: 'sent: SELECT 1', statement: { bytes: 8 } },
      { time: AT.toISOString(), level: 'warn', message: 'of two\nlines' },
    ]);
    expect(lines.every((line) => !line.includes('\n'))).toBe(true);
  });

  it('tells how long each stretch of work took, and how much it was', () => {
    const { log, lines } = logOf('info');
    const progress = loggedProgress(NO_PROGRESS, log);
    progress.phase('reading catalogs');
    progress.phase('comparing tenants', 2000);
    progress.advance(1500);
    progress.done();
    expect(lines).toEqual([
      expect.stringMatching(/^2030-01-31T04:30:00.000Z info reading catalogs: 0\.\d s$/u),
      expect.stringMatching(/info comparing tenants: 1,500 in 0\.\d s$/u),
    ]);
  });

  it('tells the end of a tenant as info, and its steps as debug', () => {
    const failure = {
      code: 'TENANT_LOCKED',
      message: 'a lock was not had',
      sqlstate: '55P03',
      remedy: null,
    } as const;
    const events = [
      { kind: 'tenant-started', database: 'main', schema: 't1', changes: 2 },
      { kind: 'retry', database: 'main', schema: 't1', failure, delay: 300 },
      { kind: 'tenant-finished', database: 'eu', schema: 't1', outcome: 'failed', failure },
    ] as const;
    const { log, lines } = logOf('info');
    for (const event of events) logEvent(log, eventDocument(event, AT, { hide: null }));
    expect(lines.map((line) => line.slice(AT.toISOString().length))).toEqual([
      ' info t1: tried again in 300 ms: a lock was not had',
      ' info eu/t1: failed: a lock was not had',
    ]);
  });

  it('counts one tenant and one change as one', () => {
    const { log, lines } = logOf('debug');
    const events = [
      { kind: 'run-started', database: 'main', tenants: 1, pending: 1 },
      { kind: 'batch-started', database: 'main', tenants: 1 },
      { kind: 'tenant-started', database: 'main', schema: 't1', changes: 1 },
    ] as const;
    for (const event of events) logEvent(log, eventDocument(event, AT, { hide: null }));
    expect(lines.map((line) => line.slice(AT.toISOString().length))).toEqual([
      ' info main: 1 of 1 tenant with pending changes',
      ' debug main: a batch of 1 tenant',
      ' debug t1: begun, 1 change',
    ]);
  });

  it('names a table that is made once, and what belongs to none by its own name', () => {
    const { log, lines } = logOf('debug');
    for (const table of ['', 'items', 'shops']) {
      const made = change({
        phase: 'base',
        action: 'create-table',
        table,
        object: 'items',
        reason: 'missing',
        steps: [],
      });
      const event = {
        kind: 'change-finished',
        database: 'main',
        schema: 't1',
        change: made,
        result: 'applied',
      } as const;
      logEvent(log, eventDocument(event, AT, { hide: null }));
    }
    expect(lines.map((line) => line.slice(AT.toISOString().length))).toEqual([
      ' debug t1: create-table items: applied',
      ' debug t1: create-table items: applied',
      ' debug t1: create-table shops.items: applied',
    ]);
  });

  it('S2: shows statements without their constants, and only at the level debug', () => {
    expect(statementLog(logOf('info').log, null)).toBeUndefined();
    const { log, lines } = logOf('debug');
    const sql = String.raw`SELECT  'o''brien', E'o\'brien'
      WHERE id = 7`;
    statementLog(log, new MemberNames([]))?.({ sql, parameters: ['secret'] });
    statementLog(log, null)?.({ sql, parameters: ['secret'] });
    expect(lines.map((line) => line.slice(AT.toISOString().length))).toEqual([
      " debug sent: SELECT '…', '…' WHERE id = 7",
      String.raw` debug sent: SELECT 'o''brien', E'o\'brien' WHERE id = 7`,
    ]);
  });
});
