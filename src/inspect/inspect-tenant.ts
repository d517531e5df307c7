import type { Database, Session } from '../database/session.js';
import type { TenantChange } from '../diff/change.js';
import { pastLocks } from '../plan/past-locks.js';
import { NO_PROGRESS } from '../progress.js';
import { TrueupError } from '../trueup-error.js';
import type { FoundFamily } from './family.js';
import { compose, type Draft, familyItem } from './files.js';
import { findFamilies } from './find-families.js';
import type { Inspection, InspectRequest } from './inspection.js';
import { type Item, itemKey } from './items.js';
import { planned, unreadableTenant } from './planned.js';
import { readTenant } from './read-tenant.js';
import { sketchOf } from './sketch.js';
import { findStamp } from './stamp.js';

/**
 * Writes down an existing tenant as a desired state. Reads only. The files are loaded and planned before they are given
 * back, and what a plan would not take for the same is left out with a note: a plan with them is in sync for the tenant.
 * @throws {TrueupError} UNKNOWN_SCHEMA; TENANT_UNREADABLE where there is nothing to write; TENANT_LOCKED where somebody keeps
 *   readers away from its tables; NOT_CONVERGED where no sound set of files was found
 */
export async function inspectTenant(database: Database, request: InspectRequest): Promise<Inspection> {
  const progress = request.progress ?? NO_PROGRESS;
  const session = await database.connect();
  try {
    const { schema } = request;
    const draft = await pastLocks(session, { tables: null, schemas: [schema], progress }, async ({ locked }) => {
      const by = locked.get(schema);
      if (by !== undefined) throw unreadableTenant({ schema, code: 'TENANT_LOCKED', message: by });
      progress.phase('reading catalogs');
      const tenant = await readTenant(session, schema);
      const sketch = await sketchOf(tenant);
      const { stamp, notes } = await findStamp(session, schema, tenant.tables);
      const found = await findFamilies(session, tenant, sketch);
      return { request, tenant, sketch, stamp, stampNotes: notes, found };
    });
    progress.phase('checking that a plan is in sync');
    return await settle(database, session, draft);
  } finally {
    progress.done();
    await session.close();
  }
}

/** Rounds of leaving out: each takes every object that the last plan found to differ. */
const ROUNDS = 8;

async function settle(database: Database, session: Session, draft: Draft): Promise<Inspection> {
  const refused = new Map(draft.sketch.refused);
  for (let round = 1; round <= ROUNDS; round += 1) {
    const inspection = compose(draft, refused);
    const changes = await planned(database, session, draft.tenant.schema, inspection.files);
    if (changes.length === 0) return inspection;
    for (const change of changes) {
      const item = itemOf(change, draft.found.families);
      const why =
        item.kind === 'family'
          ? 'a plan does not take its members for the same: its indexes are listed plainly'
          : `a plan does not take what the server holds for the same (${change.change.action})`;
      refused.set(itemKey(item), { item, why });
    }
  }
  throw new TrueupError('NOT_CONVERGED', `no files were found that schema "${draft.tenant.schema}" is in sync with`, {
    where: `--schema ${draft.tenant.schema}`,
    remedy: 'run again while nobody changes the schema; if it stays so, please report it',
  });
}

/** The item that a change is about. */
function itemOf({ change }: TenantChange, families: readonly FoundFamily[]): Item {
  const { action, table, object } = change;
  if (change.family !== null) {
    const own = families.filter((family) => family.table === table);
    const family = own.find((one) => one.document.name === change.family) ?? own[0];
    if (family !== undefined) return familyItem(family);
  }
  if (/-index$/u.test(action)) return { kind: 'index', table, name: object };
  if (/-constraint$/u.test(action)) return { kind: 'constraint', table, name: object };
  if (/-column$/u.test(action)) return { kind: 'column', table, name: object };
  return { kind: 'table', table, name: table };
}
