/** How `plan --sql` begins a tenant's part. */
const TENANT = '-- Tenant ';

/**
 * A script of `plan --sql` in so many scripts with equal numbers of tenants, each with what stands before the first
 * tenant (settings of the session). Fewer when there are fewer tenants.
 */
export function shares(script: string, count: number): readonly string[] {
  const [head = '', ...tenants] = script.split(`\n${TENANT}`);
  const size = Math.ceil(tenants.length / count);
  return Array.from({ length: Math.min(count, tenants.length) }, (_, index) =>
    tenants.slice(index * size, (index + 1) * size),
  )
    .filter((share) => share.length > 0)
    .map((share) => [head, ...share].join(`\n${TENANT}`));
}
