import type { TableShape } from '../shape/table-shape.js';
import type { CatalogScope } from './catalog-scope.js';
import type { ShapeMemory } from './database-memory.js';
import type { HashedTable } from './fleet-row.js';
import { type Relevance, relevantShape } from './relevance.js';
import type { HashedShape } from './shape-hash.js';
import type { ReadTable, TenantGroup } from './snapshot.js';

/** The table that stands for all that hash alike, and its tenant. */
export interface Representative extends HashedTable {
  readonly schema: string;
}

/** A fleet's tables, of which one of each hash is read in detail: none whose shape the run knows already. */
export class HashedTables {
  readonly #hashed: readonly HashedShape[];
  readonly #representatives = new Map<string, Representative>();
  /** By name, then by hash. */
  readonly #shapes: ReadonlyMap<string, Map<string, TableShape>>;
  readonly #relevance: ReadonlyMap<string, Relevance>;
  /** Tables of which more is asked than whether they are there. */
  readonly #asked: ReadonlySet<string>;

  constructor(hashed: readonly HashedShape[], scope: CatalogScope, memory: ShapeMemory) {
    this.#hashed = hashed;
    for (const { tables, representative } of hashed)
      for (const table of tables) {
        const key = tableKey(table);
        if (!this.#representatives.has(key)) this.#representatives.set(key, { ...table, schema: representative });
      }
    this.#shapes = new Map(scope.relations.map((name) => [name, memory.of(hashedFor(name, scope))]));
    this.#relevance = new Map(scope.filter.relevant.map((of) => [of.table, of]));
    this.#asked = new Set(scope.relations.filter((name) => this.#relevance.get(name)?.bare !== true));
  }

  /** Those whose shape is not known. */
  unknown(): readonly Representative[] {
    return [...this.#representatives.values()].filter((table) => this.#shapeOf(table) === undefined);
  }

  /** @param read by oid: what is not in it has vanished; its tenants are diffed as without it, and verified later */
  learn(representatives: readonly Representative[], read: ReadonlyMap<string, TableShape>): void {
    for (const { name, hash, oid } of representatives) {
      const shape = read.get(oid);
      if (shape === undefined) continue;
      const relevance = this.#relevance.get(shape.name);
      const part = relevance === undefined ? shape : relevantShape(shape, relevance, this.#asked);
      this.#shapes.get(name)?.set(hash, part);
    }
  }

  /** Tenants that hash alike, with the shapes that are known. */
  groups(): readonly TenantGroup[] {
    return this.#hashed.map(({ hash, schemas, tables }) => ({
      hash,
      schemas,
      tables: new Map(
        tables.flatMap((table): readonly (readonly [string, ReadTable])[] => {
          const shape = this.#shapeOf(table);
          const from = this.#representatives.get(tableKey(table));
          if (shape === undefined || from === undefined) return [];
          return [[table.name, { shape, oid: from.oid, schema: from.schema }]];
        }),
      ),
    }));
  }

  #shapeOf({ name, hash }: HashedTable): TableShape | undefined {
    return this.#shapes.get(name)?.get(hash);
  }
}

const tableKey = ({ name, hash }: HashedTable): string => `${name}\0${hash}`;

/**
 * What is hashed of a table, and what is left of its shape: equal where the shapes of one reading hold for another, of more
 * tables or fewer. Of one that is cut, a foreign key to a table that is read is left.
 */
function hashedFor(table: string, { filter, relations }: CatalogScope): string {
  const { ownership, families, selected, relevant } = filter;
  const cut = relevant.filter((one) => one.table === table);
  const ofTable = families.filter((family) => family.table === table);
  return JSON.stringify([table, ownership, selected, ofTable, cut, cut.length > 0 ? relations : null]);
}
