import { shown } from '../did-you-mean.js';
import { keptMoment } from '../sql/kept-moment.js';
import type { DesiredIndexBase, DesiredTable, SourcePosition } from './model.js';
import type { Problems } from './problems.js';
import { join } from './reading.js';

/** An expression that PostgreSQL stores. */
interface Stored {
  readonly what: string;
  readonly expression: string | null;
  /** The type that it becomes, where there is one. */
  readonly type?: string;
  /** Whether it may not depend on the moment at all. */
  readonly immutable?: true;
  readonly source: SourcePosition;
}

/**
 * No stored expression may hold 'now', 'today' and the like as a date or time: the server stores the moment at which the
 * statement ran, and every plan would find drift that no apply takes away. Only for fragments that have been parsed.
 */
export async function checkMoments(tables: readonly DesiredTable[], problems: Problems): Promise<void> {
  for (const table of tables)
    for (const { what, expression, type, immutable, source } of storedBy(table)) {
      const kept = expression === null ? null : await keptMoment(expression, type ?? null, table.columns);
      if (kept === null) continue;
      problems.invalid(
        `${what} holds '${kept.word}', for which PostgreSQL stores the moment at which it is made`,
        source,
        immutable === true ? 'name a fixed date: it cannot depend on the moment' : `write ${kept.meant}`,
      );
    }
}

function storedBy(table: DesiredTable): readonly Stored[] {
  const ofIndex = (index: DesiredIndexBase, where: string | null, what: string): readonly Stored[] =>
    [...index.keys.map((key) => key.expression), where].map((expression) => ({
      what,
      expression,
      immutable: true,
      source: index.source,
    }));
  return [
    ...table.columns.flatMap(({ name, type, generated, source, ...column }): readonly Stored[] => [
      { what: `the default of column ${shown(name)}`, expression: column.default, type, source },
      { what: `column ${shown(name)}`, expression: generated?.expression ?? null, type, immutable: true, source },
    ]),
    ...table.constraints.flatMap((constraint): readonly Stored[] => {
      if (constraint.kind !== 'check') return [];
      const { name, expression, source } = constraint;
      return [{ what: `constraint ${shown(name)}`, expression, source }];
    }),
    ...table.indexes.flatMap((index) => ofIndex(index, index.where, `index ${shown(index.name)}`)),
    ...table.families.flatMap((family) => {
      const where = family.where === null ? null : join(family.where, () => "'x'");
      return ofIndex(family, where, `index family ${shown(family.label)}`);
    }),
  ];
}
