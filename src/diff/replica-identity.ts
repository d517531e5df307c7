import type { IndexShape, KeyConstraintShape } from '../shape/table-shape.js';
import { quoteIdentifier } from '../sql/quote.js';
import { blocked, type Change } from './change.js';

/**
 * A change that drops an index, refused where the table is replicated by that index. PostgreSQL drops it without a word, its
 * successor is no replica identity, and from then on every UPDATE and DELETE of a published table fails: the application's.
 */
export function sparingIdentity(made: Change, index: IndexShape | KeyConstraintShape): Change {
  const serves = 'valid' in index ? index.valid : index.indexValid;
  // By an INVALID one nothing is replicated.
  if (!index.replicaIdentity || !serves) return made;
  // A member's name holds values of rows, and is not said.
  return underIdentity(made, made.family === null ? index.name : 'one of them');
}

/** The refusal. @param which the index, in words */
export function underIdentity(made: Change, which: string): Change {
  const table = quoteIdentifier(made.table);
  return blocked(
    made,
    `${which} is the replica identity of the table: without it UPDATE and DELETE fail where the table is published`,
    `ALTER TABLE ${table} REPLICA IDENTITY FULL, apply, then ALTER TABLE ${table} REPLICA IDENTITY USING INDEX again`,
  );
}
