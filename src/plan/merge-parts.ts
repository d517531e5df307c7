import type { Unmanaged } from '../catalog/unmanaged.js';
import { known } from '../collections.js';
import type { DatabasePlan, Diagnostic } from './fleet-plan.js';

/**
 * One plan of a database whose tenants were planned in parts: each by its own files' state. What several parts say is said
 * once; what reads alike and is about two tenants is said of both.
 * @param diagnostics what is to be said before the parts' own
 */
export function mergeParts(parts: readonly DatabasePlan[], diagnostics: readonly Diagnostic[]): DatabasePlan {
  const byName = <T extends { readonly schema: string }>(list: readonly T[]) =>
    [...list].sort((left, right) => (left.schema < right.schema ? -1 : 1));
  const said = [...diagnostics, ...parts.flatMap((part) => part.diagnostics)];
  return {
    ...known(parts[0], 'a part of a plan'),
    databaseChanges: [
      ...new Map(parts.flatMap((part) => part.databaseChanges).map((made) => [made.object, made])).values(),
    ],
    diagnostics: [...new Map(said.map((one) => [JSON.stringify(one), one])).values()],
    tenants: byName(parts.flatMap((part) => part.tenants)),
    unreadable: byName(parts.flatMap((part) => part.unreadable)),
    shapes: sum(parts.map((part) => part.shapes)),
    unmanaged: together(parts.map((part) => part.unmanaged)),
    allowedSchemas: [...new Set(parts.flatMap((part) => part.allowedSchemas))],
  };
}

function together(counts: readonly (Unmanaged | null)[]): Unmanaged | null {
  const all = counts.filter((count) => count !== null);
  if (all.length < counts.length) return null;
  return {
    tables: sum(all.map((count) => count.tables)),
    columns: sum(all.map((count) => count.columns)),
    indexes: sum(all.map((count) => count.indexes)),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
