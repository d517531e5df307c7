interface Databases {
  readonly databases: readonly unknown[];
  readonly failedDatabases: readonly unknown[];
}

/** Whether a report is of several databases, left out ones among them: what is said of one of them then names it. */
export const ofSeveral = ({ databases, failedDatabases }: Databases): boolean =>
  databases.length + failedDatabases.length > 1;

/** A tenant as a report names it: of several databases each may have a schema of this name. */
export const tenantName = (
  report: Databases,
  { database, schema }: { readonly database: string; readonly schema: string },
): string => (ofSeveral(report) ? `${database}/${schema}` : schema);
