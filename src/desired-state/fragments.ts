import { evaluationProblem } from '../sql/evaluation.js';
import { checkFragment } from '../sql/fragments.js';
import { TENANT_SCHEMA_SQL } from '../sql/template.js';
import type { Problems } from './problems.js';
import { type Place, valueAt } from './yaml-file.js';

/** SQL text of a file that has to be exactly one type, expression, query or operator class. */
export interface Fragment {
  readonly kind: 'type' | 'expression' | 'query' | 'operator-class';
  readonly text: string;
  readonly place: Place;
  /** True when a plan evaluates it on the server: it may then call only immutable functions of pg_catalog. */
  readonly evaluated: boolean;
  /** Offset in the rendered text → offset in the text as written. */
  readonly sourceOffset: (offset: number) => number;
}

/** Parses every fragment once and notes those that are not what they should be. No database is asked. */
export async function checkFragments(fragments: readonly Fragment[], problems: Problems): Promise<void> {
  for (const fragment of fragments) {
    const problem = await checkFragment(fragment.kind, fragment.text);
    if (problem !== null) {
      const where = fragment.place.file.textPosition(fragment.place.path, fragment.sourceOffset(problem.position));
      const message = problem.message.replaceAll(TENANT_SCHEMA_SQL, '${schema}');
      problems.invalid(`not ${NAMES[fragment.kind]}: ${message}`, where, `write ${NAMES[fragment.kind]}`);
      continue;
    }
    if (!fragment.evaluated) continue;
    const refusal = await evaluationProblem(fragment.text);
    if (refusal === null) continue;
    problems.add(
      'FRAGMENT_REFUSED',
      refusal,
      valueAt(fragment.place),
      'a plan evaluates this on the server: call only immutable functions of pg_catalog',
    );
  }
}

const NAMES = {
  type: 'exactly one type',
  expression: 'exactly one expression',
  query: 'exactly one SELECT',
  'operator-class': 'the name of an operator class',
} as const;
