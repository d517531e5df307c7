import { type Examination, type ExaminedDatabase, severityCounts } from '../doctor/examination.js';
import type { Finding } from '../doctor/finding.js';
import { FORMAT_VERSION } from '../format-version.js';
import type { FailedDatabase } from '../plan/fleet-plan.js';
import { TRUEUP_VERSION } from './document-version.js';
import type { DatabaseDocument } from './plan-json.js';

/** A look at the servers as `doctor --json` prints it; schema/doctor.schema.json describes it. */
export interface DoctorDocument {
  readonly formatVersion: string;
  readonly trueupVersion: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly databases: readonly (DatabaseDocument & { readonly tenants: number })[];
  /** Those of several that could not be looked at. */
  readonly failedDatabases: readonly FailedDatabase[];
  readonly summary: {
    readonly problems: number;
    readonly warnings: number;
    readonly notes: number;
    readonly ok: number;
    /** Of the notes: checks that the server did not let look. */
    readonly notLooked: number;
  };
  /** In the order of the checks, database by database. */
  readonly findings: readonly (Finding & { readonly database: string })[];
}

/** The JSON document of a look. */
export function doctorDocument(seen: Examination): DoctorDocument {
  const counts = severityCounts(seen);
  const findings = seen.databases.flatMap(({ id, findings: its }) => its.map((one) => ({ database: id, ...one })));
  return {
    formatVersion: FORMAT_VERSION,
    trueupVersion: TRUEUP_VERSION,
    createdAt: seen.createdAt.toISOString(),
    databases: seen.databases.map(databaseDocument),
    failedDatabases: seen.failedDatabases,
    summary: {
      problems: counts.problem,
      warnings: counts.warning,
      notes: counts.note,
      ok: counts.ok,
      notLooked: findings.filter(({ looked }) => !looked).length,
    },
    findings,
  };
}

const databaseDocument = ({ id, host, name, serverVersion, role, tenants }: ExaminedDatabase) => ({
  id,
  host,
  name,
  serverVersion,
  role,
  tenants,
});
