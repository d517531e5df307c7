import type { TenantChange } from '../diff/change.js';
import { changeKey } from '../plan/drift-classes.js';

/** A change by what it makes; of a family's change each member: others may have come meanwhile. */
export const deedsOf = ({ change, members }: TenantChange): readonly string[] =>
  (members ?? [{}]).map((member) => `${changeKey(change)}\n${JSON.stringify(member)}`);
