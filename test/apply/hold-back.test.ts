import { expect, it } from 'vitest';
import { holdBack } from '../../src/apply/hold-back.js';
import { DEFAULT_LIMITS } from '../../src/apply/request.js';
import { RunControl } from '../../src/apply/run-control.js';
import type { TurnContext } from '../../src/apply/turn.js';
import { change } from '../../src/diff/change.js';
import { sql } from '../../src/sql/template.js';

const build = {
  change: change({
    phase: 'base',
    action: 'create-index',
    table: 'items',
    object: 'items_code',
    reason: 'missing',
    steps: [{ sql: sql`CREATE INDEX`, mode: 'online', builds: 'items_code', lock: { mode: 'NONE', table: 'items' } }],
  }),
  members: null,
};

/** Why a build is not begun beside a process that has been at work on its table for a minute. */
const beside = (process: { readonly user: string | null }) => {
  const row = { pid: 7, application: '', state: 'active', age: '60000', query_start: null, ...process };
  const held = { ...row, table: 'items', mode: 'ShareUpdateExclusiveLock', gid: null, prepared: null, owner: null };
  const query = async (text: string) => (text.includes('pg_locks l on l.relation') ? [held] : []);
  return holdBack([build], 't1', {
    lane: 'long',
    worker: { session: { embedded: false, query } },
    crew: { halted: false, pids: [] },
    request: { control: new RunControl(), limits: DEFAULT_LIMITS },
  } as unknown as TurnContext);
};

it('an index is not built behind a session that has long been at work on its table', async () => {
  expect(await beside({ user: 'app' })).toMatchObject({ kind: 'waiting', failure: { code: 'BUILD_HELD_UP' } });
});

it('autovacuum holds no build up: it gives way, and takes hours where it need not', async () => {
  expect(await beside({ user: null })).toBeNull();
});
