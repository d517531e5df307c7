import type { Database } from './session.js';
import { ONLY } from './target.js';

/** A database as plans and reports name it: what it is called, and where it was found. */
export interface DatabasePlace {
  readonly id: string;
  /** `embedded` for the embedded PostgreSQL. */
  readonly host: string;
  /** Null for the embedded PostgreSQL, and for a socket. */
  readonly port: number | null;
  readonly name: string;
  /** What pointed at it; see `TargetDescription`. */
  readonly source: string;
}

/** A database that a run was on. */
export interface VisitedDatabase extends DatabasePlace {
  readonly serverVersion: string;
  readonly role: string;
}

/** Where a database is, without the user: a role that was set stands in for it. */
export function placeOf({ id, target }: Database): DatabasePlace {
  return {
    id,
    host: target.kind === 'embedded' ? 'embedded' : target.host,
    port: target.port,
    name: target.database,
    source: target.source,
  };
}

/** A database as words name it: as the run does, or by its own name where the run has but one and never named it. */
export const calledDatabase = ({ id, name }: Pick<DatabasePlace, 'id' | 'name'>): string => (id === ONLY ? name : id);
