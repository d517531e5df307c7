import type { Tenant, TenantSelection } from '../catalog/discover.js';
import type { Database, Session } from '../database/session.js';
import type { DesiredExtension, DesiredState } from '../desired-state/model.js';
import type { CheckName, Finding } from './finding.js';
import type { DoctorRequest } from './request.js';

/** What every check may know. */
export interface CheckContext {
  readonly database: Database;
  readonly session: Session;
  readonly request: DoctorRequest;
  /** With alternatives resolved for this database. */
  readonly desired: DesiredState;
  /** Of the desired state and of its overrides that name a tenant here. */
  readonly extensions: readonly DesiredExtension[];
  readonly selection: TenantSelection;
  readonly tenants: readonly Tenant[];
  /** The names of the declared tables, and of those that families are generated from. */
  readonly relations: readonly string[];
  readonly here: Here;
}

/** Who and where the session is. */
export interface Here {
  readonly user: string;
  readonly loginUser: string;
  readonly database: string;
  readonly serverVersion: string;
  readonly inRecovery: boolean;
}

/**
 * One concern: its queries, whose number does not depend on how many tenants there are, which read catalogs only and hold no
 * lock on a table of a tenant; and a pure judgement of what they gave.
 */
export interface Check {
  readonly name: CheckName;
  run(context: CheckContext): Promise<readonly Finding[]>;
}

/** A check from its query and its judgement. */
export const check = <Facts>(parts: {
  readonly name: CheckName;
  readonly read: (context: CheckContext) => Promise<Facts>;
  readonly judge: (facts: Facts, context: CheckContext) => readonly Finding[];
}): Check => ({
  name: parts.name,
  run: async (context) => parts.judge(await parts.read(context), context),
});

/** The oids of the tenants' schemas. */
export const oidsOf = ({ tenants }: Pick<CheckContext, 'tenants'>): readonly string[] => tenants.map(({ oid }) => oid);
