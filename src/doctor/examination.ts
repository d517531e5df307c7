import type { VisitedDatabase } from '../database/database-place.js';
import type { FailedDatabase } from '../plan/fleet-plan.js';
import { type Finding, SEVERITIES, type Severity } from './finding.js';

/** What was found on one database. */
export interface ExaminedDatabase extends VisitedDatabase {
  /** How many there are. */
  readonly tenants: number;
  /** In the order of the checks. */
  readonly findings: readonly Finding[];
}

/** What was found on all of them. */
export interface Examination {
  readonly createdAt: Date;
  readonly databases: readonly ExaminedDatabase[];
  /** Databases of several that could not be looked at. */
  readonly failedDatabases: readonly FailedDatabase[];
}

/** How many findings there are of each severity. */
export const severityCounts = ({ databases }: Examination): Readonly<Record<Severity, number>> => {
  const all = databases.flatMap(({ findings }) => findings);
  const of = (severity: Severity) => all.filter((finding) => finding.severity === severity).length;
  return Object.fromEntries(SEVERITIES.map((severity) => [severity, of(severity)])) as Record<Severity, number>;
};
