import type { CatalogSnapshot } from '../catalog/snapshot.js';
import type { DesiredState, DesiredTable } from '../desired-state/model.js';
import { blocked, revised, type TenantChange } from '../diff/change.js';
import { quoteIdentifier } from '../sql/quote.js';

/** An extension that cannot be created in a database, because another one holds the name of an access method it brings. */
export interface HeldMethod {
  readonly extension: string;
  readonly phase: string;
  readonly obstacle: string;
  readonly remedy: string;
}

/**
 * Access methods are global names of a database: of two extensions that bring one of a name, one can be installed. Once a
 * phase: each that needs the extension waits, and has backends of its own to choose from.
 */
export function heldMethods(desired: DesiredState, snapshot: CatalogSnapshot): readonly HeldMethod[] {
  const held = new Map<string, HeldMethod>();
  for (const table of desired.tables)
    for (const { method, phase } of [...table.indexes, ...table.families]) {
      if (method.extension === null) continue;
      const key = JSON.stringify([phase, method.extension]);
      if (held.has(key)) continue;
      if (snapshot.extensions.get(method.extension)?.installedVersion != null) continue;
      const holder = snapshot.methods.find(({ name }) => name === method.name);
      if (holder === undefined) continue;
      held.set(key, refusal(method.extension, phase, method.name, holder.extension, desired));
    }
  return [...held.values()];
}

function refusal(
  extension: string,
  phase: string,
  method: string,
  holder: string | null,
  desired: DesiredState,
): HeldMethod {
  const known = desired.phases.find((candidate) => candidate.name === phase)?.backend?.known ?? [];
  const of = known.find((backend) => backend.methods.some((one) => one.name === method && one.extension === holder));
  const keep = of === undefined ? '' : `keep that backend: --backend ${phase}=${of.name}; or `;
  const by = holder === null ? 'the database itself' : `extension ${holder}`;
  const free =
    holder === null
      ? `drop the access method ${method}`
      : `move every tenant to a backend without the method ${method} first, then run as an administrator: DROP EXTENSION ${quoteIdentifier(holder)}`;
  return {
    extension,
    phase,
    obstacle: `access method ${method} is held by ${by}, and a database has one of a name: extension ${extension} cannot be created beside it`,
    remedy: `${keep}${free}`,
  };
}

/**
 * Without its extension nothing of a phase can be made, nor a table that has a column of the phase; and what is there
 * serves until it can. A tenant that has no table yet is made whole or not at all.
 */
export function refuseHeld(
  changes: readonly TenantChange[],
  held: readonly HeldMethod[],
  tables: readonly DesiredTable[],
  isNew: boolean,
): readonly TenantChange[] {
  if (held.length === 0) return changes;
  const byPhase = new Map(held.map((one) => [one.phase, one]));
  return revised(changes, (change) => {
    const columns = change.action === 'create-table' ? tables.find(({ name }) => name === change.table)?.columns : [];
    const cause =
      [change.phase, ...(columns ?? []).map((column) => column.phase)]
        .map((phase) => byPhase.get(phase))
        .find((one) => one !== undefined) ?? (isNew ? held[0] : undefined);
    return cause === undefined ? change : blocked(change, cause.obstacle, cause.remedy);
  });
}
