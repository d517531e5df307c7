import type { LookAlike } from '../catalog/discover.js';
import { shellQuoted } from '../shell-quoted.js';
import type { Diagnostic } from './fleet-plan.js';

/** A schema that looks like a damaged tenant never drops out of sight silently. */
export function lookAlikes(found: readonly LookAlike[], database: string): readonly Diagnostic[] {
  return found.map(({ schema, has, lacks }) => ({
    severity: 'warning',
    code: 'LOOKS_LIKE_A_TENANT',
    message: `schema "${schema}" has ${has.join(', ')} but not ${lacks.join(', ')}: not planned, maybe a damaged tenant`,
    remedy: `name it to plan it as a tenant: --schema ${shellQuoted(schema)}; or leave it out for good: tenants.exclude in fleet.yaml`,
    database,
    schema,
  }));
}
