import { createHash } from 'node:crypto';
import { canonical } from '../desired-state/digest.js';
import type { ValueSource } from '../desired-state/model.js';
import type { Hazard, Member, Status } from '../diff/change.js';
import type { Asked } from './asked.js';
import type { ChangeName } from './change-name.js';

/** The first key and value of every plan file: what tells it from any other file without reading it whole. */
export const PLAN_FILE_FORMAT = 'trueup-plan';

/** The version of the file's form. A file of another one is refused. */
export const PLAN_FILE_VERSION = '1.0';

/** A saved plan: what was approved, never what is executed. schema/plan-file.schema.json describes it. */
export interface PlanFile {
  readonly format: typeof PLAN_FILE_FORMAT;
  readonly formatVersion: typeof PLAN_FILE_VERSION;
  readonly trueupVersion: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** Of `approved`: {@link planId}. */
  readonly planId: string;
  /** Where the desired state was loaded from; its digest, not its place, is approved. */
  readonly directory: string;
  readonly approved: ApprovedPlan;
}

/** All that an approval of a plan approves. */
export interface ApprovedPlan {
  readonly asked: Asked;
  readonly desiredState: ApprovedState;
  readonly databases: readonly ApprovedDatabase[];
}

/** The desired state, and the values that flags and variables gave. */
export interface ApprovedState {
  readonly digest: string;
  readonly baseSchema: string | null;
  readonly phases: readonly string[];
  readonly skippedPhases: readonly string[];
  readonly backends: Readonly<
    Record<string, { readonly value: string; readonly source: ValueSource; readonly resolved: string }>
  >;
  readonly parameters: Readonly<
    Record<string, { readonly value: string | number | boolean | null; readonly source: ValueSource }>
  >;
}

/** A database, and what its tenants need. */
export interface ApprovedDatabase {
  readonly id: string;
  readonly host: string;
  readonly port: number | null;
  readonly name: string;
  readonly oid: string | null;
  readonly systemIdentifier: string | null;
  /** Made once: extensions. */
  readonly changes: readonly ApprovedChange[];
  /** Sets of changes that tenants have in common. */
  readonly classes: readonly (readonly ApprovedChange[])[];
  /** Those that differ. */
  readonly tenants: readonly ApprovedDrift[];
  /** Schemas of the others. */
  readonly inSync: readonly string[];
  readonly unreadable: readonly string[];
}

/** A change, its statements as psql writes variables (`:"schema"`, `:'row.value'`): tenants and members fill in the rest. */
export interface ApprovedChange extends ChangeName {
  readonly status: Status;
  readonly reason: string;
  readonly obstacle?: string;
  readonly remedy?: string;
  readonly hazards: readonly Hazard[];
  readonly statements: readonly string[];
  /** What would take earlier statements back when one fails. */
  readonly undo?: readonly string[];
}

/** What one tenant needs: the changes of its class, filled in with these values. */
export interface ApprovedDrift {
  readonly schema: string;
  /** Whose the tables are to be that it makes; absent: it makes none, or they are the session's own. */
  readonly owner?: string;
  readonly fingerprint: string;
  /** Place in `classes`, from 0. */
  readonly class: number;
  /** For each change of the class the values of its members; null where it has none. Absent: none has. */
  readonly members?: readonly (readonly Member[] | null)[];
}

/**
 * `sha256:…` over the canonical JSON of everything approved, a piece a line: the same fleet in the same state, asked for in
 * the same way, has the same id.
 */
export function planId(approved: ApprovedPlan): string {
  const hash = createHash('sha256');
  for (const piece of pieces(approved)) hash.update(`${canonical(piece)}\n`);
  return `sha256:${hash.digest('hex')}`;
}

/** In pieces: the text of a large fleet is longer than a string may be. */
function* pieces({ asked, desiredState, databases }: ApprovedPlan): Iterable<unknown> {
  yield { asked, desiredState };
  for (const { classes, tenants, ...database } of databases) {
    yield database;
    yield classes;
    yield* tenants;
  }
}
