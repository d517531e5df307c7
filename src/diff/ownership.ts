import type { DesiredPhase } from '../desired-state/model.js';
import type { IndexShape } from '../shape/table-shape.js';
import type { DiffContext } from './context.js';

/**
 * The phase that owns an index: its method is listed, and so is every column that its keys and key expressions reference,
 * at least one of them not merely ignored. The same rule as in the catalog's query (src/catalog/tenant-relations.ts).
 */
export function owningPhase(index: IndexShape, context: Pick<DiffContext, 'phases' | 'facts'>): DesiredPhase | null {
  const columns = index.keys.flatMap((key) =>
    key.expression === null ? (key.column ?? []) : context.facts.columnsOf(key.expression),
  );
  return (
    context.phases.find((phase) => {
      if (phase.owns === null || !phase.owns.methods.includes(index.method.name)) return false;
      const { columns: owned, ignoring } = phase.owns;
      return (
        columns.some((column) => owned.includes(column)) &&
        columns.every((column) => owned.includes(column) || ignoring.includes(column))
      );
    }) ?? null
  );
}
