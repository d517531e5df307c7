import type { EventDocument } from '../report/apply-events.js';
import type { Log } from './log.js';

/** Logs an event of an apply: what ends or delays a tenant as info, every step as debug. */
export function logEvent(log: Log, event: EventDocument): void {
  const { level, message } = lineOf(event);
  log.at(level, message, { event });
}

interface Line {
  readonly level: 'info' | 'debug';
  readonly message: string;
}

const info = (message: string): Line => ({ level: 'info', message });
const debug = (message: string): Line => ({ level: 'debug', message });

function lineOf(event: EventDocument): Line {
  switch (event.kind) {
    case 'run-started':
      return info(`${event.database}: ${event.pending} of ${event.tenants} tenants have pending changes`);
    case 'batch-started':
      return debug(`${event.database}: a batch of ${event.tenants} tenants`);
    case 'tenant-started':
      return debug(`${tenant(event)}: begun, ${event.changes} changes`);
    case 'change-finished': {
      const { action, table, object, family } = event.change;
      const subject = family === undefined ? object : `members of ${family}`;
      return debug(`${tenant(event)}: ${action} ${table}.${subject}: ${event.result}`);
    }
    case 'retry':
      return info(`${tenant(event)}: tried again in ${event.delayMs} ms: ${event.error.message}`);
    case 'tenant-waiting':
      return info(`${tenant(event)}: waits: ${event.message}`);
    case 'build-progress': {
      const { phase, done, total, unit } = event;
      const share = total > 0 ? `, ${done} of ${total} ${unit}` : '';
      return debug(`${tenant(event)}: ${event.index}: ${phase}${share}`);
    }
    case 'build-yielded':
      return info(
        `${tenant(event)}: the build of ${event.index} gave way to process ${event.pid}, which had waited ${event.waitedMs} ms`,
      );
    case 'draining':
      return info(`begins nothing new: ${event.reason}`);
    case 'tenant-finished':
      return info(`${tenant(event)}: ${event.outcome}${event.error === undefined ? '' : `: ${event.error.message}`}`);
    case 'run-finished': {
      const counts = Object.entries(event.outcomes).filter(([outcome, count]) => outcome !== 'tenants' && count > 0);
      return info(`${event.database}: ended: ${counts.map(([outcome, count]) => `${count} ${outcome}`).join(', ')}`);
    }
  }
}

const tenant = ({ database, schema }: { readonly database: string | null; readonly schema: string }): string =>
  database === 'main' || database === null ? schema : `${database}/${schema}`;
