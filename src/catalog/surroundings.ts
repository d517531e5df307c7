import { oncePerObject } from '../collections.js';
import type { Session } from '../database/session.js';
import type { DesiredState, DesiredTable } from '../desired-state/model.js';
import type { NameResolver } from '../sql/names.js';
import { ShapeMemory } from './database-memory.js';
import {
  type AccessMethod,
  type ExtensionState,
  namesOf,
  readBuiltIns,
  readDefaultOpclasses,
  readExtensions,
  readObjects,
} from './extensions.js';

/** What tenants' tables refer to, in one database. */
export interface Surroundings {
  readonly extensions: ReadonlyMap<string, ExtensionState>;
  readonly methods: readonly AccessMethod[];
  readonly names: NameResolver;
  /** Tells whether an operator class, as SQL, is the default of a method: naming it or not is the same. */
  readonly isDefaultOpclass: (method: string, opclass: string) => boolean;
  /** Declared tables, by the declaration, as these names have them. */
  readonly tables: WeakMap<DesiredTable, DesiredTable>;
  /** The same of lists of them, each one list. */
  readonly lists: WeakMap<readonly DesiredTable[], readonly DesiredTable[]>;
  /**
   * Tables of tenants that were made a moment before they were read. A hash has types, functions and operator classes by
   * their oids, which another name may be given; but whoever made another table of the same hash since, from the same
   * declaration, found the same objects by the names that are declared.
   */
  readonly made: ShapeMemory;
}

/**
 * Reads what surrounds the tenants. Where a database says what it said last, this gives the same object as last: what is
 * derived from it holds, and a process that makes one tenant after another need not derive it for each.
 * @param database what stands for it in this process
 */
export async function readSurroundings(
  session: Session,
  desired: Pick<DesiredState, 'extensions'>,
  database: object,
): Promise<Surroundings> {
  const declared = desired.extensions;
  const { extensions, methods } = await readExtensions(
    session,
    declared.map(({ name }) => name),
  );
  const builtIn = await readBuiltIns(session, database);
  const objects = await readObjects(session, declared);
  const opclasses = await readDefaultOpclasses(session);
  const said = JSON.stringify([session.serverVersion, [...extensions.values()], methods, objects, opclasses]);
  const known = latest(database);
  const of = JSON.stringify(declared);
  const last = known.get(of);
  if (last?.said === said) return last.surroundings;
  const defaults = new Set(opclasses);
  const surroundings: Surroundings = {
    extensions,
    methods,
    names: namesOf([...builtIn, ...objects], declared, extensions),
    isDefaultOpclass: (method, opclass) => defaults.has(`${method}/${opclass.replace(/^pg_catalog\./u, '')}`),
    tables: new WeakMap(),
    lists: new WeakMap(),
    made: new ShapeMemory(),
  };
  known.set(of, { said, surroundings });
  return surroundings;
}

interface Said {
  readonly said: string;
  readonly surroundings: Surroundings;
}

/** By the database, and by the extensions that are declared. */
const latest = oncePerObject((_database: object) => new Map<string, Said>());
