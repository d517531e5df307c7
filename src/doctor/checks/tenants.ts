import type { Discovery } from '../../catalog/discover.js';
import { counted } from '../../counted.js';
import type { Finding } from '../finding.js';
import { finding } from '../finding.js';

/** What the discovery gave: no statement of its own. */
export function judgeTenants({
  tenants,
  lookAlikes,
  missing,
}: Pick<Discovery, 'tenants' | 'lookAlikes' | 'missing'>): readonly Finding[] {
  const some =
    tenants.length > 0
      ? finding('tenants', 'ok', { what: counted(tenants.length, 'tenant') })
      : finding('tenants', 'warning', {
          what: 'no tenant found',
          why: 'plan and apply end with an error then; every check of tenants found nothing to look at',
          remedy: 'check the database that the first line names, and tenants in fleet.yaml',
        });
  const findings = [some];
  if (lookAlikes.length > 0)
    findings.push(
      finding('tenants', 'warning', {
        what: `${counted(lookAlikes.length, 'schema')} with some of the tables that make a tenant, but not all`,
        why: 'maybe a damaged tenant; it is neither planned nor applied',
        remedy: 'name it with --schema to plan it as a tenant, or leave it out for good: tenants.exclude in fleet.yaml',
        subjects: lookAlikes.map(
          ({ schema, has, lacks }) => `${schema}: has ${has.join(', ')}, lacks ${lacks.join(', ')}`,
        ),
      }),
    );
  if (missing.length > 0)
    findings.push(
      finding('tenants', 'warning', {
        what: `${counted(missing.length, 'schema')} listed as a tenant and not there`,
        why: 'maybe a tenant that was lost, or a name that is misspelt; it is neither planned nor applied',
        remedy:
          'correct tenants in fleet.yaml, or what its query reads; or make it: trueup apply --create-schema --schema NAME',
        subjects: missing,
      }),
    );
  return findings;
}
