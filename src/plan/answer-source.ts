import type { DatabaseMemory } from '../catalog/database-memory.js';
import type { OpenBeside } from '../catalog/shared-snapshot.js';
import type { ReadTable } from '../catalog/snapshot.js';
import type { Session } from '../database/session.js';
import type { ReleaseRule } from '../desired-state/model.js';
import type { Question } from '../diff/facts.js';
import type { NameResolver } from '../sql/names.js';

/** A question, and the tenants that ask it. */
export interface AskedQuestion {
  readonly question: Question;
  /** Of no account where the answer is the same for every tenant; but expressions are judged by the types of one that asks. */
  readonly schemas: readonly string[];
  /** What stands for the tables of all of them, where they look alike: for what a whole shape shares. */
  readonly tables: ReadonlyMap<string, ReadTable>;
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
