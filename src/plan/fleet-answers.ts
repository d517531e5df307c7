import { isByTenant, judgeExpressions } from '../catalog/judge.js';
import { readUsable } from '../catalog/plannable.js';
import { readSharedKeyFault } from '../catalog/shared-key.js';
import { groupBy } from '../collections.js';
import { type ExpressionQuestion, type Question, questionKey } from '../diff/facts.js';
import { canonicalDefault, canonicalExpression, canonicalType } from '../sql/canonical.js';
import { columnsOf } from '../sql/columns-of.js';
import type { NameResolver } from '../sql/names.js';
import type { AnswerSource, AskedQuestion } from './answer-source.js';

/** A question about expressions, and the tenants that ask it. */
interface AskedExpression {
  readonly question: ExpressionQuestion;
  readonly schemas: readonly string[];
}

/** Has `by` remember the answers of questions whose answer is the same for every tenant: each is asked once a database. */
export async function answerForAll(asked: readonly AskedQuestion[], by: AnswerSource): Promise<void> {
  const { session, names, memory } = by;
  const unlike: AskedExpression[] = [];
  for (const { question, schemas } of asked) {
    const key = questionKey(question);
    if (memory.answers.has(key)) continue;
    const answer =
      question.kind === 'shared-key' ? await readSharedKeyFault(session, question) : await byTrees(question, names);
    if (question.kind === 'expression' && answer === false) unlike.push({ question, schemas });
    else memory.answers.set(key, answer);
  }
  await judge(unlike, by);
}

async function byTrees(question: Question, names: NameResolver): Promise<unknown> {
  switch (question.kind) {
    case 'type':
      return (await canonicalType(question.desired, names)) === (await canonicalType(question.actual, names));
    case 'columns':
      return columnsOf(question.expression);
    case 'expression': {
      const { castTo, desired, actual } = question;
      const canonical = (text: string) =>
        castTo === null ? canonicalExpression(text, names) : canonicalDefault(text, castTo, names);
      return (await canonical(desired)) === (await canonical(actual));
    }
    default:
      throw new Error(`internal: ${question.kind} is no fleet-wide question`);
  }
}

/**
 * Where trees differ the server judges: a comparison of trees alone will not do. What it refuses by the types of one tenant it
 * judges by another's: one that is dropped meanwhile, or that the role may not look into, must not make drift of all.
 */
async function judge(questions: readonly AskedExpression[], source: AnswerSource): Promise<void> {
  const refused = await judgedBy(questions, source, ([first]) => first);
  if (refused.length === 0) return;
  const usable = await readUsable(source.session, [...new Set(refused.flatMap(({ schemas }) => schemas.slice(1)))]);
  await judgedBy(refused, source, ([, ...others]) => others.find((schema) => usable.has(schema)));
}

/** Gives those that are refused, and that other tenants ask as well. */
async function judgedBy(
  questions: readonly AskedExpression[],
  { session, names, memory }: AnswerSource,
  by: (schemas: readonly string[]) => string | undefined,
): Promise<readonly AskedExpression[]> {
  const asked = questions.map((one) => {
    const isOwn = isByTenant(one.question.columns, one.question);
    return { ...one, isOwn, schema: isOwn ? by(one.schemas) : undefined };
  });
  const groups = [
    ...groupBy(asked, ({ question, schema }) => JSON.stringify([question.columns, schema ?? null])).values(),
  ];
  const judged = groups.map((group) => ({
    columns: group[0]?.question.columns ?? [],
    pairs: group.map(({ question }) => question),
    schema: group[0]?.schema,
  }));
  const verdicts = (await judgeExpressions(session, judged, names)).flat();
  const all = groups.flat();
  for (const [at, { question }] of all.entries()) memory.answers.set(questionKey(question), verdicts[at] ?? false);
  return all.filter(({ isOwn, schemas }, at) => isOwn && schemas.length > 1 && (verdicts[at] ?? null) === null);
}
