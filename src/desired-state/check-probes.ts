import { shown, suggestion } from '../did-you-mean.js';
import { columnsOf } from '../sql/columns-of.js';
import { tablesOf } from '../sql/query-tables.js';
import { TENANT_SCHEMA } from '../sql/template.js';
import type { DesiredTable } from './model.js';
import type { DesiredProbe } from './probe.js';
import type { Problems } from './problems.js';
import { join } from './reading.js';

/**
 * A probe reads declared tables of the tenant alone, and the columns that it names must be declared, by whichever phase. Only
 * for fragments that have been parsed.
 */
export async function checkProbes(
  probes: readonly DesiredProbe[],
  tables: readonly DesiredTable[],
  problems: Problems,
): Promise<void> {
  const names = tables.map((table) => table.name);
  for (const probe of probes) {
    const what = `probe ${shown(probe.name)}`;
    const known = (tables.find((table) => table.name === probe.table)?.columns ?? []).map((column) => column.name);
    const expressions = await Promise.all(Object.values(probe.row).map((expression) => columnsOf(expression)));
    for (const column of new Set([...probe.partition, ...expressions.flat()])) {
      if (known.includes(column)) continue;
      const message = `${what} names the column ${shown(column)}, which ${shown(probe.table)} does not have`;
      problems.invalid(message, probe.source, suggestion(column, known));
    }
    for (const { schema, table } of await tablesOf(join(probe.query, () => "'x'"))) {
      if ((schema === null || schema === TENANT_SCHEMA) && names.includes(table)) continue;
      const named = schema === null || schema === TENANT_SCHEMA ? table : `${schema}.${table}`;
      problems.invalid(
        `${what} reads ${shown(named)}, which is no declared table of the tenant`,
        probe.source,
        suggestion(table, names),
      );
    }
  }
}
