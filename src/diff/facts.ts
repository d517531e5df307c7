import type {
  Building,
  ColumnBarriers,
  DomainChecks,
  IndexesOver,
  IndexUsage,
  Kin,
  PersistenceTie,
  Presence,
  Reference,
  SharedKey,
  SharedKeyFault,
} from '../catalog/fact-types.js';

/**
 * What the differ may ask beyond shapes. It stays pure: an answer that is not there yet counts as unknown, the question
 * is noted, and the caller fetches the answers of all tenants together and diffs again.
 */
export type Question =
  /** Does the tenant's table hold a row? */
  | { readonly kind: 'rows'; readonly table: string }
  /** Does any row of the tenant's table hold a value in this column? */
  | { readonly kind: 'values'; readonly table: string; readonly column: string }
  /** What stands on the tenant's column, and keeps it from being dropped or retyped? Null: on the whole, a materialized view. */
  | { readonly kind: 'users'; readonly table: string; readonly column: string | null }
  /** Which foreign keys are onto the tenant's column, those of undeclared tables and of other schemas too? */
  | { readonly kind: 'references'; readonly table: string; readonly column: string }
  /** What is among the indexes on the tenant's column, members of families too? */
  | { readonly kind: 'indexes'; readonly table: string; readonly column: string }
  /** Which extended statistics go with the tenant's column? */
  | { readonly kind: 'statistics'; readonly table: string; readonly column: string }
  /** What does a type of the tenant's or of another schema check, if it is a domain? */
  | { readonly kind: 'domain'; readonly type: string }
  /** What keeps the tenant's table from becoming unlogged, or logged: foreign keys of undeclared tables too? */
  | { readonly kind: 'persistence'; readonly table: string }
  /** What keeps the tenant's table from getting, losing or filling columns? */
  | { readonly kind: 'barriers'; readonly table: string }
  /** What does the tenant's table inherit, and what inherits from it? Of tables whose shape says that they have kin. */
  | { readonly kind: 'kin'; readonly table: string }
  /** How many rows match, counted no further than `limit`. `where` may hold a member's values. */
  | { readonly kind: 'count'; readonly table: string; readonly where: string | null; readonly limit: number }
  /** Which release the application's stamp table names. */
  | { readonly kind: 'release' }
  /** Whose are the tenant's tables, if not the session's own role's? */
  | { readonly kind: 'owner' }
  /** Is another session at work on the table's indexes, and which of them are INVALID after that was looked at? */
  | { readonly kind: 'building'; readonly table: string }
  /** How often the tenant's index was scanned, and its size. */
  | { readonly kind: 'usage'; readonly index: string }
  /** Do two expressions over a table's columns mean the same? By their trees; where those differ, by the server. */
  | ExpressionQuestion
  /** Are two types, with their modifiers, the same? */
  | { readonly kind: 'type'; readonly desired: string; readonly actual: string }
  /** What keeps foreign keys from being onto a table that all tenants share? */
  | SharedKeyQuestion
  /** Which columns does an expression reference? */
  | { readonly kind: 'columns'; readonly expression: string }
  /** Is a materialized view's query the declared one? */
  | { readonly kind: 'view'; readonly table: string; readonly query: string };

/** About a key of a table that all tenants share. */
export interface SharedKeyQuestion extends SharedKey {
  readonly kind: 'shared-key';
}

/** For the server as judge. Columns carry their types as SQL, relative to the tenant. */
export interface ExpressionQuestion {
  readonly kind: 'expression';
  readonly columns: readonly { readonly name: string; readonly type: string; readonly collation: string | null }[];
  /** Both are cast to it, as a default is to its column's type; null: compared as they are. */
  readonly castTo: string | null;
  readonly desired: string;
  readonly actual: string;
}

/**
 * Answers, as far as they are known. Asking an open question notes it, and is answered as in a tenant without drift for
 * the time being: whatever else would be asked on the strength of a guess would be asked, and read, in vain.
 */
export interface Facts {
  rows(table: string): Presence;
  values(table: string, column: string): Presence;
  /**
   * What stands on a column, or on all of a materialized view (null), that PostgreSQL would not change under it: views, triggers,
   * policies, generated columns. In words.
   */
  users(table: string, column: string | null): readonly string[];
  references(table: string, column: string): readonly Reference[];
  indexesOver(table: string, column: string): IndexesOver;
  /** In words. */
  statisticsOver(table: string, column: string): readonly string[];
  /** Nothing of a type that is written without a schema: PostgreSQL has no such domains. */
  domainChecks(type: string): DomainChecks;
  persistenceTies(table: string): readonly PersistenceTie[];
  columnBarriers(table: string): ColumnBarriers;
  /** Null while the question is open. */
  kin(table: string): Kin | null;
  count(table: string, where: string | null, limit: number): number | null;
  /** Null: the tenant has no stamp; false: it could not be read; undefined while the question is open. */
  release(): string | null | false | undefined;
  /** The role that new tables are to belong to, when it is not the session's own. */
  owner(): string | null;
  building(table: string): Building | null;
  usage(index: string): IndexUsage | null;
  same(question: ExpressionQuestion): boolean;
  /** The same, but undefined while the question is open. */
  judged(question: ExpressionQuestion): boolean | undefined;
  sameType(desired: string, actual: string): boolean;
  columnsOf(expression: string): readonly string[];
  /** Null: nothing. */
  sharedKeyFault(question: SharedKeyQuestion): SharedKeyFault | null;
  sameView(table: string, query: string): boolean | null;
}

/** Questions whose answer is the same for every tenant of a database. */
export const isFleetWide = (question: Question): boolean =>
  ['expression', 'type', 'columns', 'shared-key'].includes(question.kind);

/** A question's identity. */
export const questionKey = (question: Question): string => JSON.stringify(question);

/** Facts over a map of answers by {@link questionKey}; what was asked and not answered is collected in `open`. */
export class FactSheet implements Facts {
  readonly open = new Map<string, Question>();
  /** Every question that bore on the result: equal answers to them give an equal diff. */
  readonly asked = new Map<string, Question>();

  constructor(private readonly answerTo: (key: string, question: Question) => unknown) {}

  rows(table: string): Presence {
    return presence(this.#ask({ kind: 'rows', table }));
  }

  values(table: string, column: string): Presence {
    return presence(this.#ask({ kind: 'values', table, column }));
  }

  users(table: string, column: string | null): readonly string[] {
    return (this.#ask({ kind: 'users', table, column }) as readonly string[] | undefined) ?? [];
  }

  references(table: string, column: string): readonly Reference[] {
    return (this.#ask({ kind: 'references', table, column }) as readonly Reference[] | undefined) ?? [];
  }

  indexesOver(table: string, column: string): IndexesOver {
    return (this.#ask({ kind: 'indexes', table, column }) as IndexesOver | undefined) ?? NO_INDEXES;
  }

  statisticsOver(table: string, column: string): readonly string[] {
    return (this.#ask({ kind: 'statistics', table, column }) as readonly string[] | undefined) ?? [];
  }

  domainChecks(type: string): DomainChecks {
    if (!type.includes('.')) return NO_CHECKS;
    return (this.#ask({ kind: 'domain', type }) as DomainChecks | undefined) ?? NO_CHECKS;
  }

  persistenceTies(table: string): readonly PersistenceTie[] {
    return (this.#ask({ kind: 'persistence', table }) as readonly PersistenceTie[] | undefined) ?? [];
  }

  columnBarriers(table: string): ColumnBarriers {
    return (this.#ask({ kind: 'barriers', table }) as ColumnBarriers | null | undefined) ?? NO_BARRIERS;
  }

  kin(table: string): Kin | null {
    return (this.#ask({ kind: 'kin', table }) as Kin | null | undefined) ?? null;
  }

  count(table: string, where: string | null, limit: number): number | null {
    const answer = this.#ask({ kind: 'count', table, where, limit });
    return typeof answer === 'number' ? answer : null;
  }

  release(): string | null | false | undefined {
    const answer = this.#ask({ kind: 'release' });
    return typeof answer === 'string' || answer === null || answer === false ? answer : undefined;
  }

  owner(): string | null {
    const answer = this.#ask({ kind: 'owner' });
    return typeof answer === 'string' ? answer : null;
  }

  building(table: string): Building | null {
    return (this.#ask({ kind: 'building', table }) as Building | undefined) ?? null;
  }

  usage(index: string): IndexUsage | null {
    return (this.#ask({ kind: 'usage', index }) as IndexUsage | undefined) ?? null;
  }

  same(question: ExpressionQuestion): boolean {
    return this.judged(question) ?? true;
  }

  judged(question: ExpressionQuestion): boolean | undefined {
    if (question.desired === question.actual) return true;
    const answer = this.#ask(question);
    return answer === undefined ? undefined : answer === true;
  }

  sameType(desired: string, actual: string): boolean {
    return desired === actual || (this.#ask({ kind: 'type', desired, actual }) ?? true) === true;
  }

  columnsOf(expression: string): readonly string[] {
    return (this.#ask({ kind: 'columns', expression }) as readonly string[] | undefined) ?? [];
  }

  sharedKeyFault(question: SharedKeyQuestion): SharedKeyFault | null {
    return (this.#ask(question) as SharedKeyFault | null | undefined) ?? null;
  }

  sameView(table: string, query: string): boolean | null {
    const answer = this.#ask({ kind: 'view', table, query });
    return typeof answer === 'boolean' ? answer : null;
  }

  #ask(question: Question): unknown {
    const of = questionKey(question);
    this.asked.set(of, question);
    const answer = this.answerTo(of, question);
    if (answer === undefined) this.open.set(of, question);
    return answer;
  }
}

const NO_CHECKS: DomainChecks = { any: false, refusesNull: false };
const NO_BARRIERS: ColumnBarriers = { rowType: null, updateRules: [], publications: [] };
const NO_INDEXES: IndexesOver = { computed: false, identity: false };

const presence = (answer: unknown): Presence =>
  answer === undefined || answer === 'none' ? 'none' : answer === 'some' ? 'some' : 'unknown';
