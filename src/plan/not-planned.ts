import type { Discovery } from '../catalog/discover.js';
import { shellQuoted } from '../shell-quoted.js';
import type { Diagnostic } from './fleet-plan.js';

/** A schema that looks like a damaged tenant never drops out of sight silently, nor does one that the files list and nobody has. */
export function notPlanned(
  { lookAlikes, missing }: Pick<Discovery, 'lookAlikes' | 'missing'>,
  database: string,
): readonly Diagnostic[] {
  return [
    ...lookAlikes.map(
      ({ schema, has, lacks }): Diagnostic => ({
        severity: 'warning',
        code: 'LOOKS_LIKE_A_TENANT',
        message: `schema "${schema}" has ${has.join(', ')} but not ${lacks.join(', ')}: not planned, maybe a damaged tenant`,
        remedy: `name it to plan it as a tenant: --schema ${shellQuoted(schema)}; or leave it out for good: tenants.exclude in fleet.yaml`,
        database,
        schema,
      }),
    ),
    ...missing.map(
      (schema): Diagnostic => ({
        severity: 'warning',
        code: 'LISTED_AND_MISSING',
        message: `schema "${schema}" is listed as a tenant and does not exist: not planned`,
        remedy: `correct the list (tenants in fleet.yaml, or what its query reads); or make the tenant: trueup apply --create-schema --schema ${shellQuoted(schema)}`,
        database,
        schema,
      }),
    ),
  ];
}
