import type { TenantChange } from '../diff/change.js';
import { sha256 } from '../sha256.js';
import { showSql } from '../sql/template.js';
import type { PlannedTenant } from './fleet-plan.js';
import type { TenantRead } from './tenant-read.js';

/**
 * A tenant with what it needs, as it was read. A class, since a getter of each object's own takes longer to define than all of
 * the rest.
 */
export class Planned implements PlannedTenant {
  readonly schema: string;
  readonly isNew: boolean;
  readonly #read: TenantRead;

  constructor(
    read: TenantRead,
    readonly database: string,
    readonly changes: PlannedTenant['changes'],
    readonly owner: string | null,
    readonly phases: PlannedTenant['phases'],
  ) {
    this.schema = read.schema;
    this.isNew = read.isNew;
    this.#read = read;
  }

  /** Made when it is asked for: of tens of thousands of tenants in sync nobody does. */
  get fingerprint(): string {
    return fingerprintOf(this.#read, this.owner, this.changes);
  }
}

/** What a tenant was and what it was to be changed into: its shape, its owner, its owned indexes, its members. */
function fingerprintOf(read: TenantRead, owner: string | null, changes: readonly TenantChange[]): string {
  const owned = read.owned.map(({ table, index, definition }) => [table, index.name, definition, index.where]).sort();
  const wanted = changes.map(({ change, members }) => [
    change.action,
    change.status,
    change.steps.map((step) => showSql(step.sql)),
    members,
  ]);
  // Of settled members the kinds and their number: their digests are of this plan's seed.
  const members = [...read.members]
    .map(([of, { kinds, digest }]) => [of, kinds, digest.replace(/:.*$/u, '')] as const)
    .sort(([left], [right]) => (left < right ? -1 : 1));
  return `sha256:${sha256(JSON.stringify([read.hash, owner, owned, members, wanted]))}`;
}
