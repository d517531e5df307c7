import { readColumnBarriers } from '../catalog/column-barriers.js';
import { readColumnUsers } from '../catalog/column-users.js';
import type { DatabaseMemory } from '../catalog/database-memory.js';
import { readDomainChecks } from '../catalog/domain-checks.js';
import type { IndexUsage } from '../catalog/fact-types.js';
import { readIndexesOver } from '../catalog/indexes-over.js';
import { isByTenant, judgeAll } from '../catalog/judge.js';
import { judgeView } from '../catalog/judge-view.js';
import { readKin } from '../catalog/kin.js';
import { readOwners } from '../catalog/owners.js';
import { readPersistenceTies } from '../catalog/persistence-ties.js';
import { readUsable } from '../catalog/plannable.js';
import { readReferences } from '../catalog/references.js';
import { readCounts, readPresence, readReleases, readUsage } from '../catalog/row-facts.js';
import { readBuilding } from '../catalog/running-builds.js';
import { readSharedKeyFault } from '../catalog/shared-key.js';
import { evenParts, shared } from '../catalog/shared-parts.js';
import { type OpenBeside, WORTH_A_SESSION, withSessionBeside } from '../catalog/shared-snapshot.js';
import type { ReadTable } from '../catalog/snapshot.js';
import { readStatisticsOver } from '../catalog/statistics-over.js';
import { groupBy } from '../collections.js';
import type { Session } from '../database/session.js';
import type { ReleaseRule } from '../desired-state/model.js';
import { type ExpressionQuestion, isFleetWide, type Question, questionKey } from '../diff/facts.js';
import { canonicalDefault, canonicalExpression, canonicalType } from '../sql/canonical.js';
import { columnsOf } from '../sql/columns-of.js';
import type { NameResolver } from '../sql/names.js';
import { quoteIdentifier } from '../sql/quote.js';

/** A question, and the tenants that ask it. */
export interface AskedQuestion {
  readonly question: Question;
  /** Of no account where the answer is the same for every tenant; but expressions are judged by the types of one that asks. */
  readonly schemas: readonly string[];
  /** What stands for the tables of all of them, where they look alike: for what a whole shape shares. */
  readonly tables: ReadonlyMap<string, ReadTable>;
}

/** A question about expressions, and the tenants that ask it. */
interface AskedExpression {
  readonly question: ExpressionQuestion;
  readonly schemas: readonly string[];
}

/** Where answers come from. */
export interface AnswerSource {
  readonly session: Session;
  readonly names: NameResolver;
  readonly release: ReleaseRule | null;
  /** Opens a second session, for tables of a fleet large enough to be read by two. */
  readonly beside: OpenBeside;
  /** What the run has learnt before, and will have learnt. */
  readonly memory: DatabaseMemory;
  /** Whether rows that were not there count as not there still. */
  readonly presumes?: boolean | undefined;
}

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
    const unlike: AskedExpression[] = [];
    for (const one of asked) {
      const { question } = one;
      if (!isFleetWide(question)) await this.#fetchByTenant(one);
      else if (!this.by.memory.answers.has(questionKey(question))) {
        const answer =
          question.kind === 'shared-key'
            ? await readSharedKeyFault(this.by.session, question)
            : await this.#byTrees(question);
        if (question.kind === 'expression' && answer === false) unlike.push({ question, schemas: one.schemas });
        else this.by.memory.answers.set(questionKey(question), answer);
      }
    }
    await this.#judge(unlike);
  }

  async #fetchByTenant({ question, schemas, tables }: AskedQuestion): Promise<void> {
    const key = questionKey(question);
    const known = this.#byTenant.get(key) ?? new Map<string, unknown>();
    this.#byTenant.set(key, known);
    const isOfRows = question.kind === 'rows' || question.kind === 'values';
    const none = this.by.memory.none.get(key) ?? new Set();
    if (isOfRows) this.by.memory.none.set(key, none);
    if (this.by.presumes === true) for (const schema of schemas) if (none.has(schema)) known.set(schema, 'none');
    const open = schemas.filter((schema) => !known.has(schema));
    const found = await this.#tenantAnswers(question, open, tables);
    for (const schema of open) {
      const answer = found(schema);
      known.set(schema, answer);
      if (isOfRows && answer === 'none') none.add(schema);
      else none.delete(schema);
    }
  }

  /**
   * Where trees differ the server judges: a comparison of trees alone will not do. What it refuses by the types of one tenant it
   * judges by another's: one that is dropped meanwhile, or that the role may not look into, must not make drift of all.
   */
  async #judge(questions: readonly AskedExpression[]): Promise<void> {
    const refused = await this.#judgedBy(questions, ([first]) => first);
    if (refused.length === 0) return;
    const usable = await readUsable(this.by.session, [...new Set(refused.flatMap(({ schemas }) => schemas.slice(1)))]);
    await this.#judgedBy(refused, ([, ...others]) => others.find((schema) => usable.has(schema)));
  }

  /** Gives those that are refused, and that other tenants ask as well. */
  async #judgedBy(
    questions: readonly AskedExpression[],
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
    const verdicts = (await judgeAll(this.by.session, judged, this.by.names)).flat();
    const all = groups.flat();
    for (const [at, { question }] of all.entries())
      this.by.memory.answers.set(questionKey(question), verdicts[at] ?? false);
    return all.filter(({ isOwn, schemas }, at) => isOwn && schemas.length > 1 && (verdicts[at] ?? null) === null);
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

  async #byTrees(question: Question): Promise<unknown> {
    const { names } = this.by;
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

  /** Reads tables of tenants. The first look at ten thousand of them waits for their files: two sessions wait side by side. */
  async #sideBySide<T>(
    schemas: readonly string[],
    read: (session: Session, part: readonly string[]) => Promise<ReadonlyMap<string, T>>,
  ): Promise<ReadonlyMap<string, T>> {
    const beside = schemas.length < WORTH_A_SESSION ? null : this.by.beside;
    return withSessionBeside(
      this.by.session,
      beside,
      async (sessions) =>
        new Map(
          await shared(sessions, evenParts(schemas, sessions.length), async (session, part) => [
            ...(await read(session, part)),
          ]),
        ),
    );
  }

  async #tenantAnswers(
    question: Question,
    schemas: readonly string[],
    tables: AskedQuestion['tables'],
  ): Promise<(schema: string) => unknown> {
    const { session, names, release, memory } = this.by;
    switch (question.kind) {
      case 'rows':
      case 'values': {
        const where = question.kind === 'rows' ? null : `${quoteIdentifier(question.column)} IS NOT NULL`;
        return from(
          await this.#sideBySide(schemas, (one, part) => readPresence(one, tablesIn(part, question.table), where)),
          'unknown',
        );
      }
      case 'count':
        return from(
          await this.#sideBySide(schemas, (one, part) =>
            readCounts(one, tablesIn(part, question.table), question.where, question.limit),
          ),
          null,
        );
      case 'release': {
        if (release === null) return () => null;
        const stamps = await this.#sideBySide(schemas, (one, part) => readReleases(one, part, release, memory.stamps));
        return (schema) => stamps.get(schema) ?? (stamps.has(schema) ? null : false);
      }
      case 'owner':
        return from(await readOwners(session, schemas), null);
      case 'users':
        return from(await readColumnUsers(session, schemas, question.table, question.column), []);
      case 'references':
        return from(await readReferences(session, schemas, question.table, question.column), []);
      case 'indexes':
        return from(await readIndexesOver(session, schemas, question.table, question.column), {
          computed: false,
          identity: false,
        });
      case 'statistics':
        return from(await readStatisticsOver(session, schemas, question.table, question.column), []);
      case 'domain':
        return from(await readDomainChecks(session, schemas, question.type), { any: false, refusesNull: false });
      case 'persistence':
        return from(await readPersistenceTies(session, schemas, question.table), []);
      case 'barriers':
        return from(await readColumnBarriers(session, schemas, question.table), null);
      case 'kin':
        return from(await readKin(session, schemas, question.table, names), null);
      case 'building':
        return from(await readBuilding(session, schemas, question.table), null);
      case 'usage':
        return from(await readUsage(session, schemas, question.index), { scans: 0, bytes: 0 });
      case 'view': {
        const view = tables.get(question.table);
        if (view === undefined) return () => null;
        const columns = view.shape.columns.map((column) => column.name);
        const of = { schema: view.schema, name: question.table, oid: view.oid, columns };
        const same = await judgeView(session, of, question.query, names);
        return () => same;
      }
      default:
        throw new Error(`internal: ${question.kind} is no question about a tenant`);
    }
  }
}

/** What of an answer the diff depends on: of an index's usage only whether there is any, of an owner whether it is another. */
function bearing(question: Question, answer: unknown): string {
  if (question.kind === 'usage') return String((answer as IndexUsage).scans > 0);
  return question.kind === 'owner' ? String(answer !== null) : JSON.stringify(answer);
}

const OWNER: Question = { kind: 'owner' };
const OWNER_KEY = questionKey(OWNER);

const tablesIn = (schemas: readonly string[], table: string) => schemas.map((schema) => ({ schema, table }));

const from =
  <T>(found: ReadonlyMap<string, T>, otherwise: T | null) =>
  (schema: string): unknown =>
    found.get(schema) ?? otherwise;
