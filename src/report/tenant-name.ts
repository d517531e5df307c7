/** A tenant as a report names it: of several databases each may have a schema of this name. */
export const tenantName = (
  { databases }: { readonly databases: readonly unknown[] },
  { database, schema }: { readonly database: string; readonly schema: string },
): string => (databases.length > 1 ? `${database}/${schema}` : schema);
