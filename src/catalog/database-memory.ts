import type { DesiredTable, MigrationLockRule } from '../desired-state/model.js';
import type { TableShape } from '../shape/table-shape.js';
import type { PlainTables } from './plain-tables.js';
import type { Surroundings } from './surroundings.js';

/** Shapes of tables by hash, of those that were hashed for the same. */
export class ShapeMemory {
  readonly #shapes = new Map<string, Map<string, TableShape>>();

  of(hashedFor: string): Map<string, TableShape> {
    const found = this.#shapes.get(hashedFor) ?? new Map<string, TableShape>();
    this.#shapes.set(hashedFor, found);
    return found;
  }
}

/** For so long what was learnt is gone by, in milliseconds: somebody may create an extension, or move one. */
const LASTS = 60_000;

/**
 * What one run has learnt of a database and need not ask again: a plan and the batches of its apply read the catalogs twice a
 * batch, and of all that a reading needs only the tenants themselves may have changed since the last.
 */
export class DatabaseMemory {
  /** Answers to questions about no tenant in particular, by the question's key. */
  readonly answers = new Map<string, unknown>();
  /** Declarations whose fragments may be evaluated on the server. */
  readonly checked = new WeakSet<DesiredTable | MigrationLockRule>();
  /** Tenants of which a question about rows was answered by `none`, by the question's key. */
  readonly none = new Map<string, Set<string>>();
  /** Tables of stamps that can be copied. */
  readonly stamps: PlainTables = new Map();
  readonly shapes = new ShapeMemory();
  readonly #surroundings = new Map<string, Promise<Surroundings>>();
  readonly #since = performance.now();

  /** What stands for the database in this process, for what outlives a run. */
  readonly database: object;

  /** @param database left out: the memory itself */
  constructor(database?: object) {
    this.database = database ?? this;
  }

  /** Whether it is too old to go by. */
  get isStale(): boolean {
    return performance.now() - this.#since > LASTS;
  }

  /** What surrounds the tenants of a desired state that declares some extensions; read once. */
  surroundings(declared: string, read: () => Promise<Surroundings>): Promise<Surroundings> {
    const found = this.#surroundings.get(declared) ?? read();
    this.#surroundings.set(declared, found);
    found.catch(() => this.#surroundings.delete(declared));
    return found;
  }
}
