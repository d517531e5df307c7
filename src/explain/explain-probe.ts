import { predicateVariables } from '../catalog/expected-members.js';
import { DatabaseError } from '../database/session.js';
import { inTransaction } from '../database/transaction.js';
import type { DesiredProbe } from '../desired-state/probe.js';
import { shellQuoted } from '../shell-quoted.js';
import { TrueupError } from '../trueup-error.js';
import { advise } from './advice.js';
import { type ExplainContext, type TenantProbe, tenantProbe } from './context.js';
import type { Partition, ProbeResult } from './explanation.js';
import { type PlannedProbe, planProbe } from './planned.js';
import { type PreparedProbe, prepare, setLocally, unknownSettings } from './prepare.js';
import { planWithout } from './without-global.js';

/** How long a probe waits for a lock that keeps readers away. */
const LOCK_TIMEOUT = '5s';

/**
 * Explains one probe on one tenant. What the server refuses is the result of that probe; a lost connection, a request that
 * fits nothing and a refused fragment are errors.
 */
export async function explainProbe(context: ExplainContext, schema: string, probe: DesiredProbe): Promise<ProbeResult> {
  const of = tenantProbe(context, schema, probe);
  try {
    return await explained(context, of);
  } catch (error) {
    const told = error instanceof TrueupError && error.code === 'TENANT_UNREADABLE';
    if (!told && !(error instanceof DatabaseError && !context.session.broken)) throw error;
    const remedy = error instanceof TrueupError ? error.options.remedy : REMEDIES[error.code];
    return {
      ...blank(context, of),
      verdict: 'unreadable',
      ok: false,
      reason: error.message,
      remedy: remedy ?? `see whether the tenant is in order: trueup plan --schema ${shellQuoted(schema)}`,
    };
  }
}

const REMEDIES: Readonly<Record<string, string>> = {
  '42501': 'grant USAGE on the schema and SELECT on its tables to this role, or name one that has them: --role',
  '55P03': 'a lock kept readers away from the table: run again',
  '57014': 'give it longer: --statement-timeout',
};

async function explained(context: ExplainContext, of: TenantProbe): Promise<ProbeResult> {
  const { session, request } = context;
  const { settings } = of.probe;
  const read = await inTransaction(session, 'read only', async () => {
    await setLocally(session, { lock_timeout: LOCK_TIMEOUT, statement_timeout: `${request.statementTimeout}ms` });
    const prepared = await prepare(context, of);
    if ('why' in prepared) return prepared;
    await setLocally(session, settings);
    const planned = await planProbe(context, of, prepared, request.analyze);
    return { prepared, planned, unknown: await unknownSettings(session, Object.keys(settings)) };
  });
  if ('why' in read) return { ...blank(context, of), verdict: 'no-rows', ok: true, reason: read.why, remedy: null };
  const { prepared, planned, unknown } = read;
  const asked = request.hypothetical && planned.stale.length > 0;
  const without = asked ? await planWithout(context, of, prepared, planned.stale) : null;
  return { ...resultOf(context, of, prepared, planned), unknownSettings: unknown, without };
}

function resultOf(
  context: ExplainContext,
  of: TenantProbe,
  prepared: PreparedProbe,
  planned: PlannedProbe,
): ProbeResult {
  const { fromRows, chosen, rows } = prepared.partition;
  const partition: Partition = { values: telling(of, prepared.partition.values), fromRows, chosen, rows };
  const { judgement, expected, used, stale, plan } = planned;
  return {
    ...blank(context, of),
    ...judgement,
    ...advise(of, prepared, planned),
    partition,
    expected,
    used,
    stale,
    plan,
    query: prepared.query,
  };
}

function blank({ database }: ExplainContext, of: TenantProbe) {
  const { probe, schema, exactRows } = of;
  return {
    database,
    schema,
    phase: probe.phase,
    probe: probe.name,
    description: probe.description,
    table: probe.table,
    partition: null,
    exactRows,
    expected: null,
    used: [],
    plan: null,
    stale: [],
    without: null,
    settings: probe.settings,
    unknownSettings: [],
    query: null,
  };
}

/** Of a member's values those that its predicate names: the others only make its name. */
function telling({ served }: TenantProbe, values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (!('lists' in served)) return values;
  const named = predicateVariables(served);
  return Object.fromEntries(Object.entries(values).filter(([name]) => named.includes(name)));
}
