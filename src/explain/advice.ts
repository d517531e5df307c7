import { counted, number } from '../counted.js';
import { shellQuoted } from '../shell-quoted.js';
import { quoteIdentifier } from '../sql/quote.js';
import type { TenantProbe } from './context.js';
import type { ProbeResult, RowCount } from './explanation.js';
import type { PlannedProbe } from './planned.js';
import type { PreparedProbe } from './prepare.js';

/** Why the verdict is what it is, and what to do about it. Names no value of a row. */
export function advise(
  of: TenantProbe,
  prepared: PreparedProbe,
  planned: PlannedProbe,
): Pick<ProbeResult, 'reason' | 'remedy'> {
  const { ok } = planned.judgement;
  return { reason: reasonOf(of, prepared, planned), remedy: ok ? null : remedyOf(of, prepared, planned) };
}

function reasonOf(
  of: TenantProbe,
  { partition, tableRows }: PreparedProbe,
  { judgement, expected }: PlannedProbe,
): string {
  const { verdict, ok } = judgement;
  switch (verdict) {
    case 'member':
      return "the planner takes the partition's own index";
    case 'index':
      return 'the planner takes the declared index';
    case 'exact':
      return ok
        ? `it reads the partition by another index, exactly: as good as an index for ${rows(partition.rows)}`
        : `it reads the whole partition each time: ${rows(partition.rows)}${stateWords(expected.state)}`;
    case 'sequential':
      return ok
        ? `it reads the whole table, exactly: as good as an index for ${rows(tableRows)}`
        : `it reads the whole table each time: ${rows(tableRows)}${stateWords(expected.state)}`;
    case 'global-post-filter':
      return `it searches an index over the whole table and filters by partition only afterwards: too few rows may come back${stateWords(expected.state)}`;
    default:
      return ok
        ? 'an index of the same kind serves, under another name'
        : `it takes an index that ${of.phase.name} does not declare for this${stateWords(expected.state)}`;
  }
}

const stateWords = (state: 'valid' | 'invalid' | 'missing' | 'other'): string => {
  if (state === 'missing') return '; the index that should serve is missing';
  if (state === 'invalid') return '; the index that should serve is INVALID';
  return state === 'other' ? '; the index of the right name is another one than declared' : '';
};

function rows({ counted: found, capped }: RowCount): string {
  return capped ? `more than ${number(found - 1)} rows` : counted(found, 'row');
}

function remedyOf(of: TenantProbe, { relation }: PreparedProbe, { expected, used, stale }: PlannedProbe): string {
  const schema = shellQuoted(of.schema);
  const apply = `trueup apply --schema ${schema} --phase ${of.phase.name}`;
  const foreign = foreignBackend(of, used);
  if (foreign !== null)
    return `if the fleet runs ${foreign}, name it: --backend ${of.phase.name}=${foreign}; else: ${apply}`;
  if (expected.state === 'missing') return `build it: ${apply}`;
  if (expected.state !== 'valid')
    return `see how it differs: trueup plan --schema ${schema} --verbose; mend it: ${apply}`;
  if (stale.length > 0) return `drop what nothing declares: ${apply}`;
  const table = `${quoteIdentifier(relation.schema)}.${quoteIdentifier(relation.name)}`;
  return relation.analyzed
    ? `the index is there, and the planner thinks it dearer: renew its statistics (ANALYZE ${table}), and compare the settings of the probe and of the server with the application's`
    : `the planner has no statistics of this table: ANALYZE ${table}`;
}

/** The backend whose index is used, where it is another than the one that is asked for. */
function foreignBackend({ phase, served }: TenantProbe, used: PlannedProbe['used']): string | null {
  const other = used.find(
    (index) =>
      index.extension !== null && (index.method !== served.method.name || index.extension !== served.method.extension),
  );
  if (other === undefined) return null;
  const found = phase.backend?.known.find((backend) =>
    backend.methods.some((method) => method.name === other.method && method.extension === other.extension),
  );
  return found === undefined || found.name === phase.backend?.resolved ? null : found.name;
}
