import type { OwnedRead } from '../catalog/owned-reads.js';
import type { DesiredTable, IndexFamily } from '../desired-state/model.js';
import type { TenantChange } from '../diff/change.js';
import type { DiffContext } from '../diff/context.js';
import type { TenantDiff } from '../diff/diff-tenant.js';
import { MemberProblem } from '../diff/family-members.js';
import { addsColumnOf } from './column-of-rows.js';
import { type Asking, askingOf, contextOf, type FleetContext, factsOf, fetchOpen } from './fleet-context.js';
import type { TenantRead, TenantResult } from './tenant-read.js';

/** What the families that were diffed so far need in each tenant. */
export class FamilyResults {
  readonly fleet: FleetContext;
  readonly #found = new Map<string, TenantResult>();
  readonly #members: ReadonlyMap<string, readonly OwnedRead[]>;
  readonly #diffs: ReadonlyMap<string, TenantDiff>;

  /**
   * @param members indexes that may be members, by tenant
   * @param diffs of all but the families, by tenant
   */
  constructor(
    members: ReadonlyMap<string, readonly OwnedRead[]>,
    diffs: ReadonlyMap<string, TenantDiff>,
    fleet: FleetContext,
  ) {
    this.#members = members;
    this.#diffs = diffs;
    this.fleet = fleet;
  }

  /** By tenant. */
  get found(): ReadonlyMap<string, TenantResult> {
    return this.#found;
  }

  /** Indexes of a table that no family so far renames or swaps into place. */
  unclaimed({ schema }: TenantRead, table: DesiredTable): readonly OwnedRead[] {
    const result = this.#found.get(schema);
    const claimed = new Set(
      (result !== undefined && 'changes' in result ? result.changes : [])
        .filter(({ change }) => change.table === table.name)
        .flatMap(({ members }) => members?.map((member) => member.from) ?? []),
    );
    return (this.#members.get(schema) ?? []).filter(
      (candidate) => candidate.table === table.name && !claimed.has(candidate.index.name),
    );
  }

  /** Columns of a table that this run replaces. */
  replaced({ schema }: TenantRead, table: DesiredTable): ReadonlySet<string> {
    return this.#diffs.get(schema)?.replaced.get(table.name) ?? new Set();
  }

  /** Whether this run adds a column that a family's rows are read by. */
  addsColumns({ schema }: TenantRead, { rows }: IndexFamily): boolean {
    return this.#diffs.get(schema)?.changes.some((change) => addsColumnOf(rows, change)) ?? false;
  }

  /** Diffs tenant by tenant, with the answers that each asks for, until none is open. */
  async diffEach(
    tenants: readonly TenantRead[],
    diff: (tenant: TenantRead, context: DiffContext) => readonly TenantChange[],
  ): Promise<void> {
    let waiting = tenants;
    while (waiting.length > 0) {
      const open: TenantRead[] = [];
      const asking: Asking[] = [];
      for (const tenant of waiting) {
        const sheet = factsOf(tenant, this.fleet);
        try {
          const changes = diff(tenant, contextOf(tenant, sheet, this.fleet));
          if (sheet.open.size === 0) this.#add(tenant, changes);
          else {
            open.push(tenant);
            asking.push(askingOf(tenant, sheet));
          }
        } catch (error) {
          if (!(error instanceof MemberProblem)) throw error;
          this.#found.set(tenant.schema, { problem: error.message });
        }
      }
      await fetchOpen(asking, this.fleet);
      waiting = open;
    }
  }

  /** A tenant with a problem stays one. */
  #add({ schema }: TenantRead, changes: readonly TenantChange[]): void {
    const before = this.#found.get(schema);
    if (before === undefined || 'changes' in before)
      this.#found.set(schema, { changes: [...(before?.changes ?? []), ...changes] });
  }
}
