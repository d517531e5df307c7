import type { LookAlike } from '../../catalog/discover.js';
import { counted } from '../../counted.js';
import type { Finding } from '../finding.js';
import { finding } from '../finding.js';

/** What the discovery gave: no statement of its own. */
export function judgeTenants(found: {
  readonly tenants: number;
  readonly lookAlikes: readonly LookAlike[];
}): readonly Finding[] {
  const { tenants, lookAlikes } = found;
  const some =
    tenants > 0
      ? finding('tenants', 'ok', { what: counted(tenants, 'tenant') })
      : finding('tenants', 'warning', {
          what: 'no tenant found',
          why: 'plan and apply end with an error then; every check of tenants found nothing to look at',
          remedy: 'check the database that the first line names, and tenants in fleet.yaml',
        });
  if (lookAlikes.length === 0) return [some];
  return [
    some,
    finding('tenants', 'warning', {
      what: `${counted(lookAlikes.length, 'schema')} with some of the tables that make a tenant, but not all`,
      why: 'maybe a damaged tenant; it is neither planned nor applied',
      remedy: 'name it with --schema to plan it as a tenant, or leave it out for good: tenants.exclude in fleet.yaml',
      subjects: lookAlikes.map(
        ({ schema, has, lacks }) => `${schema}: has ${has.join(', ')}, lacks ${lacks.join(', ')}`,
      ),
    }),
  ];
}
