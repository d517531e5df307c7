import type { IndexUsage } from '../catalog/fact-types.js';
import { isFleetWide, type Question, questionKey } from '../diff/facts.js';
import type { AnswerSource, AskedQuestion } from './answer-source.js';
import { answerForAll } from './fleet-answers.js';
import { answerEach, countAll } from './tenant-answers.js';

/**
 * Answers to the differ's questions, fetched for all tenants that ask at once and kept for the run. What is the same for
 * every tenant is asked once a database.
 */
export class Answers {
  readonly #byTenant = new Map<string, Map<string, unknown>>();

  constructor(private readonly by: AnswerSource) {}

  /** The answer for a tenant, or undefined while it was not fetched. */
  of(schema: string, key: string, question: Question): unknown {
    return isFleetWide(question) ? this.by.memory.answers.get(key) : this.#byTenant.get(key)?.get(schema);
  }

  /** The role that the tenant's new tables are to belong to; null where nothing asked, and where it is the session's own. */
  owner(schema: string): string | null {
    const answer = this.of(schema, OWNER_KEY, OWNER);
    return typeof answer === 'string' ? answer : null;
  }

  /** Fetches answers: of all questions that are the same for every tenant together, of any other for its tenants. */
  async fetch(asked: readonly AskedQuestion[]): Promise<void> {
    await this.#fetchCounts(asked);
    for (const one of asked)
      if (!isFleetWide(one.question) && one.question.kind !== 'count') await this.#fetchByTenant(one);
    await answerForAll(
      asked.filter(({ question }) => isFleetWide(question)),
      this.by,
    );
  }

  /** All counts together: each member of a family is a question of its own, and most of them are asked of one tenant. */
  async #fetchCounts(asked: readonly AskedQuestion[]): Promise<void> {
    const open = asked.flatMap(({ question, schemas }) => {
      if (question.kind !== 'count') return [];
      const known = this.#knownBy(questionKey(question));
      return schemas.filter((schema) => !known.has(schema)).map((schema) => ({ ...question, schema, known }));
    });
    if (open.length === 0) return;
    const counts = await countAll(this.by, open);
    for (const one of open) one.known.set(one.schema, counts.get(one) ?? null);
  }

  #knownBy(key: string): Map<string, unknown> {
    const known = this.#byTenant.get(key) ?? new Map<string, unknown>();
    this.#byTenant.set(key, known);
    return known;
  }

  async #fetchByTenant({ question, schemas, tables }: AskedQuestion): Promise<void> {
    const key = questionKey(question);
    const known = this.#knownBy(key);
    const isOfRows = question.kind === 'rows' || question.kind === 'values';
    const none = this.by.memory.none.get(key) ?? new Set();
    if (isOfRows) this.by.memory.none.set(key, none);
    if (this.by.presumes === true) for (const schema of schemas) if (none.has(schema)) known.set(schema, 'none');
    const open = schemas.filter((schema) => !known.has(schema));
    const found = await answerEach(this.by, question, open, tables);
    for (const schema of open) {
      const answer = found(schema);
      known.set(schema, answer);
      if (isOfRows && answer === 'none') none.add(schema);
      else none.delete(schema);
    }
  }

  /** Whether another tenant gave the same answers to these questions. What is the same for all is not looked up for each. */
  likeness(schema: string, questions: ReadonlyMap<string, Question>): (other: string) => boolean {
    const own = [...questions].flatMap(([key, question]) => {
      const answers = isFleetWide(question) ? undefined : this.#byTenant.get(key);
      return answers === undefined ? [] : [{ question, answers, answer: answers.get(schema) }];
    });
    return (other) =>
      own.every(({ question, answers, answer }) => {
        const its = answers.get(other);
        return its === answer || bearing(question, its) === bearing(question, answer);
      });
  }
}

/** What of an answer the diff depends on: of an index's usage only whether there is any, of an owner whether it is another. */
function bearing(question: Question, answer: unknown): string {
  if (question.kind === 'usage') return String((answer as IndexUsage).scans > 0);
  return question.kind === 'owner' ? String(answer !== null) : JSON.stringify(answer);
}

const OWNER: Question = { kind: 'owner' };
const OWNER_KEY = questionKey(OWNER);
