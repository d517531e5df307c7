import { shown, suggestion } from '../did-you-mean.js';
import { columnsOf } from '../sql/columns-of.js';
import { fragmentTree } from '../sql/fragments.js';
import { as } from '../sql/tree.js';
import type { DesiredColumn, DesiredIndexBase, DesiredTable, SourcePosition } from './model.js';
import type { Problems } from './problems.js';
import { join } from './reading.js';
import { SYSTEM_COLUMNS } from './system-columns.js';

/**
 * Every column that an expression names must be declared, by whichever phase: else the server would refuse the statement
 * in the midst of a run. Only for fragments that have been parsed.
 */
export async function checkExpressions(tables: readonly DesiredTable[], problems: Problems): Promise<void> {
  const byName = new Map(tables.map((table) => [table.name, table]));
  const check = async (
    table: DesiredTable | undefined,
    expression: string | null,
    what: string,
    source: SourcePosition,
  ) => {
    if (table === undefined || table.kind !== 'table' || expression === null) return;
    const known = table.columns.map((column) => column.name);
    for (const name of await columnsOf(expression)) {
      // A row as a whole goes by its table's name.
      if (known.includes(name) || name === table.name || SYSTEM_COLUMNS.includes(name)) continue;
      const message = `${what} names the column ${shown(name)}, which ${shown(table.name)} does not have`;
      problems.invalid(message, source, suggestion(name, known));
    }
  };
  const checkIndex = async (table: DesiredTable, index: DesiredIndexBase, where: string | null, what: string) => {
    for (const { expression } of index.keys) {
      await check(table, expression, what, index.source);
      if (expression === null || as('CollateClause', (await fragmentTree('expression', expression)).tree) === null)
        continue;
      // It would differ from its declaration for ever.
      const message = `a key of ${what} ends in COLLATE, which PostgreSQL takes for the key’s and not for its expression’s`;
      problems.invalid(message, index.source, 'give it as the collation of the key');
    }
    await check(table, where, what, index.source);
    await check(table, index.requiresRows?.where ?? null, what, index.source);
  };
  for (const table of tables) {
    for (const column of table.columns) {
      const what = `column ${shown(column.name)}`;
      await check(table, column.generated?.expression ?? null, what, column.source);
      await checkGenerated(column, table, problems);
      if (column.default !== null) await checkDefault(column.default, what, column.source, problems);
    }
    for (const constraint of table.constraints) {
      if (constraint.kind !== 'check') continue;
      await check(table, constraint.expression, `constraint ${shown(constraint.name)}`, constraint.source);
    }
    for (const index of table.indexes) await checkIndex(table, index, index.where, `index ${shown(index.name)}`);
    for (const family of table.families) {
      const what = `index family ${shown(family.label)}`;
      await checkIndex(table, family, family.where === null ? null : join(family.where, () => "'x'"), what);
      for (const [value, expression] of Object.entries(family.rows?.values ?? {})) {
        await check(
          byName.get(family.rows?.table ?? ''),
          expression,
          `value ${shown(value)} of ${what}`,
          family.source,
        );
      }
    }
  }
}

/** A word without quotes is a column to SQL, and no default may name one: mostly a text was meant. */
async function checkDefault(
  expression: string,
  what: string,
  source: SourcePosition,
  problems: Problems,
): Promise<void> {
  const [word] = await columnsOf(expression);
  if (word === undefined) return;
  problems.invalid(
    `the default of ${what} names a column, ${shown(word)}, which no default can`,
    source,
    expression.trim() === word ? `for a text write "'${word}'"` : 'texts stand in single quotes',
  );
}

async function checkGenerated(column: DesiredColumn, table: DesiredTable, problems: Problems): Promise<void> {
  if (column.generated === null) return;
  const generated = table.columns.filter((one) => one.generated !== null).map(({ name }) => name);
  const named = (await columnsOf(column.generated.expression)).find((name) => generated.includes(name));
  if (named === undefined) return;
  problems.invalid(
    `column ${shown(column.name)} is generated from ${named === column.name ? 'itself' : `${shown(named)}, which is generated too`}`,
    column.source,
    'let it name columns that are not generated',
  );
}
