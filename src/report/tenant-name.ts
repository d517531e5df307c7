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

/**
 * A message without its tenant's own schema, which must not give every tenant a cause of its own: quoted, or before the name of
 * something in it, as the server writes `type "t1.state" does not exist` and `for enum t1.state: …`.
 */
export const withoutSchema = (message: string, schema: string): string =>
  message.replaceAll(`"${schema}"`, '').replaceAll(`"${schema}.`, '"').replaceAll(` ${schema}.`, ' ');
