import type { Session } from '../database/session.js';
import type { DesiredPhase, DesiredState, DesiredTable } from '../desired-state/model.js';
import type { DesiredProbe } from '../desired-state/probe.js';
import type { NameResolver } from '../sql/names.js';
import type { ExplainRequest } from './request.js';

/** What the probes of tenants under one desired state share in one database. */
export interface ExplainContext {
  readonly session: Session;
  readonly database: string;
  readonly request: ExplainRequest;
  readonly desired: DesiredState;
  readonly names: NameResolver;
  /** Where an operator lives that only a declared extension has; else null. */
  readonly operatorSchema: (operator: string) => string | null;
}

/** A probe of one tenant, with what the files say around it. */
export interface TenantProbe {
  readonly schema: string;
  readonly probe: DesiredProbe;
  readonly phase: DesiredPhase;
  readonly table: DesiredTable;
  /** What the probe's family or index says, if it is declared under this run's conditions. */
  readonly served: DesiredTable['families'][number] | DesiredTable['indexes'][number];
  /** Up to so many rows an exact or sequential scan is fine: what the probe says, and where the files want no index yet. */
  readonly exactRows: number;
}

/** Everything that the files say of a probe. */
export function tenantProbe(
  context: Pick<ExplainContext, 'desired'>,
  schema: string,
  probe: DesiredProbe,
): TenantProbe {
  const phase = context.desired.phases.find((one) => one.name === probe.phase);
  const table = context.desired.tables.find((one) => one.name === probe.table);
  const { serves } = probe;
  const served =
    serves.kind === 'family'
      ? table?.families.find((family) => family.label === serves.label)
      : table?.indexes.find((index) => index.name === serves.name);
  if (phase === undefined || table === undefined || served === undefined)
    throw new Error(`internal: probe ${probe.name} is about what is not declared`);
  const wanted = [probe.exactRows, served.worthRows?.build ?? 0, served.requiresRows?.count ?? 0];
  return { schema, probe, phase, table, served, exactRows: Math.max(...wanted) };
}

/** What `values` of a request may name for a probe: values of its family's sets, or its columns. */
export function valueNames({ probe, served }: Pick<TenantProbe, 'probe' | 'served'>): readonly string[] {
  if (!('rows' in served)) return probe.partition.map((column) => `partition.${column}`);
  const rows =
    served.rows === null ? [] : Object.keys(served.rows.values).map((value) => `${served.rows?.name}.${value}`);
  return [
    ...rows,
    ...served.lists.flatMap((list) => Object.keys(list.entries[0] ?? {}).map((value) => `${list.name}.${value}`)),
  ];
}
