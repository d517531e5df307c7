import type { DesiredColumn, DesiredIndexBase, DesiredTable } from '../desired-state/model.js';
import type { TableShape } from '../shape/table-shape.js';
import type { DiffContext } from './context.js';
import { typeParameterValue } from './type-parameters.js';

/**
 * A bound of the backend that this tenant's column is beyond: its index cannot be built, so nothing may be dropped for
 * its sake.
 */
export function exceededLimit(
  index: DesiredIndexBase,
  desired: DesiredTable,
  actual: TableShape,
  replaced: ReadonlySet<string>,
  context: DiffContext,
): { readonly obstacle: string; readonly remedy: string } | null {
  const phase = context.phases.find((candidate) => candidate.name === index.phase);
  if (phase === undefined) return null;
  for (const key of index.keys) {
    const column = desired.columns.find((candidate) => candidate.name === key.column);
    if (column === undefined) continue;
    for (const [parameter, limit] of Object.entries(phase.limits)) {
      const value = valueHere(column, parameter, actual, replaced, context);
      if (value === null) continue;
      const beyond =
        (limit.maximum !== null && value > limit.maximum) || (limit.minimum !== null && value < limit.minimum);
      if (beyond)
        return {
          obstacle: `${desired.name}.${column.name} has ${parameter} ${value}; backend ${phase.backend?.resolved ?? phase.name} takes ${limit.minimum ?? 0} to ${limit.maximum ?? 'any'}`,
          remedy: `choose a backend without that limit (--backend ${phase.name}=NAME), or another ${parameter}`,
        };
    }
  }
  return null;
}

function valueHere(
  column: DesiredColumn,
  parameter: string,
  actual: TableShape,
  replaced: ReadonlySet<string>,
  context: DiffContext,
): number | null {
  const existing = actual.columns.find((candidate) => candidate.name === column.name);
  const value =
    existing === undefined || replaced.has(column.name)
      ? String(context.parameters[parameter]?.value ?? '')
      : typeParameterValue(column.typeTemplate, parameter, existing.type, context.facts);
  return value === null || value === '' || Number.isNaN(Number(value)) ? null : Number(value);
}
