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
  /** What draws from the sequence of the tenant's column, besides the column itself? */
  | { readonly kind: 'drawing'; readonly table: string; readonly column: string }
  /** Which foreign keys are onto the tenant's column, those of undeclared tables and of other schemas too? */
  | { readonly kind: 'references'; readonly table: string; readonly column: string }
  /** What is among the indexes on the tenant's column, members of families too? */
  | { readonly kind: 'indexes'; readonly table: string; readonly column: string }
  /** What goes with the tenant's column, besides its table's own indexes and constraints? */
  | { readonly kind: 'going-along'; readonly table: string; readonly column: string }
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

/** What a question of each kind is answered by. */
export interface AnswerTo {
  readonly rows: Presence;
  readonly values: Presence;
  /** Views, triggers, policies, generated columns, in words. */
  readonly users: readonly string[];
  /** In words. */
  readonly drawing: readonly string[];
  readonly references: readonly Reference[];
  readonly indexes: IndexesOver;
  /** In words. */
  readonly 'going-along': readonly string[];
  readonly domain: DomainChecks;
  readonly persistence: readonly PersistenceTie[];
  /** Null: there is no such table. */
  readonly barriers: ColumnBarriers | null;
  readonly kin: Kin | null;
  /** Null: it could not be told. */
  readonly count: number | null;
  /** Null: the tenant has no stamp; false: it could not be read. */
  readonly release: string | null | false;
  readonly owner: string | null;
  readonly building: Building | null;
  readonly usage: IndexUsage;
  readonly expression: boolean;
  readonly type: boolean;
  /** Null: nothing. */
  readonly 'shared-key': SharedKeyFault | null;
  readonly columns: readonly string[];
  /** Null: it could not be told. */
  readonly view: boolean | null;
}

/** Questions whose answer is the same for every tenant of a database. */
export const isFleetWide = (question: Question): boolean =>
  ['expression', 'type', 'columns', 'shared-key'].includes(question.kind);

/** A question's identity. */
export const questionKey = (question: Question): string => JSON.stringify(question);

/**
 * Answers, as far as they are known. Asking an open question notes it, and is answered as in a tenant without drift for
 * the time being: whatever else would be asked on the strength of a guess would be asked, and read, in vain.
 */
export class FactSheet {
  /** What was asked and has no answer yet, by {@link questionKey}. */
  readonly open = new Map<string, Question>();
  /** Every question that bore on the result: equal answers to them give an equal diff. */
  readonly asked = new Map<string, Question>();

  constructor(private readonly answerTo: (key: string, question: Question) => unknown) {}

  rows(table: string): Presence {
    return this.#ask({ kind: 'rows', table }) ?? 'none';
  }

  values(table: string, column: string): Presence {
    return this.#ask({ kind: 'values', table, column }) ?? 'none';
  }

  /** @param column null: all of a materialized view */
  users(table: string, column: string | null): readonly string[] {
    return this.#ask({ kind: 'users', table, column }) ?? [];
  }

  drawing(table: string, column: string): readonly string[] {
    return this.#ask({ kind: 'drawing', table, column }) ?? [];
  }

  references(table: string, column: string): readonly Reference[] {
    return this.#ask({ kind: 'references', table, column }) ?? [];
  }

  indexesOver(table: string, column: string): IndexesOver {
    return this.#ask({ kind: 'indexes', table, column }) ?? { computed: false, identity: false };
  }

  goingAlong(table: string, column: string): readonly string[] {
    return this.#ask({ kind: 'going-along', table, column }) ?? [];
  }

  /** Nothing of a type that is written without a schema: PostgreSQL has no such domains. */
  domainChecks(type: string): DomainChecks {
    return (type.includes('.') ? this.#ask({ kind: 'domain', type }) : null) ?? { any: false, refusesNull: false };
  }

  persistenceTies(table: string): readonly PersistenceTie[] {
    return this.#ask({ kind: 'persistence', table }) ?? [];
  }

  columnBarriers(table: string): ColumnBarriers {
    return (
      this.#ask({ kind: 'barriers', table }) ?? {
        rowType: null,
        rowUses: [],
        rowsHidden: false,
        updateRules: [],
        publications: [],
      }
    );
  }

  /** Null while the question is open. */
  kin(table: string): Kin | null {
    return this.#ask({ kind: 'kin', table }) ?? null;
  }

  count(table: string, where: string | null, limit: number): number | null {
    return this.#ask({ kind: 'count', table, where, limit }) ?? null;
  }

  /** Undefined while the question is open. */
  release(): AnswerTo['release'] | undefined {
    return this.#ask({ kind: 'release' });
  }

  /** The role that new tables are to belong to, when it is not the session's own. */
  owner(): string | null {
    return this.#ask({ kind: 'owner' }) ?? null;
  }

  building(table: string): Building | null {
    return this.#ask({ kind: 'building', table }) ?? null;
  }

  usage(index: string): IndexUsage | null {
    return this.#ask({ kind: 'usage', index }) ?? null;
  }

  same(question: ExpressionQuestion): boolean {
    return this.judged(question) ?? true;
  }

  /** The same, but undefined while the question is open. */
  judged(question: ExpressionQuestion): boolean | undefined {
    return question.desired === question.actual || this.#ask(question);
  }

  sameType(desired: string, actual: string): boolean {
    return desired === actual || (this.#ask({ kind: 'type', desired, actual }) ?? true);
  }

  columnsOf(expression: string): readonly string[] {
    return this.#ask({ kind: 'columns', expression }) ?? [];
  }

  sharedKeyFault(question: SharedKeyQuestion): SharedKeyFault | null {
    return this.#ask(question) ?? null;
  }

  sameView(table: string, query: string): boolean | null {
    return this.#ask({ kind: 'view', table, query }) ?? null;
  }

  #ask<K extends Question['kind']>(question: Question & { readonly kind: K }): AnswerTo[K] | undefined {
    const of = questionKey(question);
    this.asked.set(of, question);
    const answer = this.answerTo(of, question);
    if (answer === undefined) this.open.set(of, question);
    return answer as AnswerTo[K] | undefined;
  }
}

/** What the differ may ask of a {@link FactSheet}. */
export type Facts = Omit<FactSheet, 'open' | 'asked'>;
