import { counted } from '../counted.js';
import type { EventDocument } from '../report/apply-events.js';
import { subjectName } from '../report/words.js';
import type { Log } from './log.js';

/** At which level an event of an apply is logged: what ends or delays a tenant as info, every step as debug. */
export const EVENT_LEVELS: Readonly<Record<EventDocument['kind'], 'info' | 'debug'>> = {
  'run-started': 'info',
  'batch-started': 'debug',
  'tenant-started': 'debug',
  'change-finished': 'debug',
  retry: 'info',
  'tenant-waiting': 'info',
  'build-progress': 'debug',
  'build-yielded': 'info',
  'backfill-progress': 'debug',
  draining: 'info',
  'tenant-finished': 'info',
  'run-finished': 'info',
};

/** Logs an event of an apply. */
export const logEvent = (log: Log, event: EventDocument): void =>
  log.at(EVENT_LEVELS[event.kind], messageOf(event), { event });

function messageOf(event: EventDocument): string {
  switch (event.kind) {
    case 'run-started':
      return `${event.database}: ${event.pending} of ${counted(event.tenants, 'tenant')} with pending changes`;
    case 'batch-started':
      return `${event.database}: a batch of ${counted(event.tenants, 'tenant')}`;
    case 'tenant-started':
      return `${tenant(event)}: begun, ${counted(event.changes, 'change')}`;
    case 'change-finished': {
      const { action, table, object, family } = event.change;
      const subject = subjectName({ table, object: family === undefined ? object : `members of ${family}` });
      return `${tenant(event)}: ${action} ${subject}: ${event.result}`;
    }
    case 'retry':
      return `${tenant(event)}: tried again in ${event.delayMs} ms: ${event.error.message}`;
    case 'tenant-waiting':
      return `${tenant(event)}: waits: ${event.message}`;
    case 'build-progress': {
      const { phase, done, total, unit } = event;
      const share = total > 0 ? `, ${done} of ${total} ${unit}` : '';
      return `${tenant(event)}: ${event.index}: ${phase}${share}`;
    }
    case 'build-yielded':
      return `${tenant(event)}: the build of ${event.index} gave way to process ${event.pid}, which had waited ${event.waitedMs} ms`;
    case 'backfill-progress':
      return `${tenant(event)}: ${event.table}.${event.column}: ${counted(event.rows, 'row')} filled, ${event.done} of ${event.total} blocks`;
    case 'draining':
      return `begins nothing new: ${event.reason}`;
    case 'tenant-finished':
      return `${tenant(event)}: ${event.outcome}${event.error === undefined ? '' : `: ${event.error.message}`}`;
    case 'run-finished': {
      const counts = Object.entries(event.outcomes).filter(([outcome, count]) => outcome !== 'tenants' && count > 0);
      return `${event.database}: ended: ${counts.map(([outcome, count]) => `${count} ${outcome}`).join(', ')}`;
    }
  }
}

const tenant = ({ database, schema }: { readonly database: string | null; readonly schema: string }): string =>
  database === 'main' || database === null ? schema : `${database}/${schema}`;
