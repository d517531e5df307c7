import type { Figure } from './measure.js';

/** A figure that trueup has promised itself, and what was measured. */
export interface Target {
  readonly id: string;
  readonly text: string;
  readonly measured: number;
  readonly unit: 'times' | 'seconds' | 'bytes';
  /** `at-least`: more is better. */
  readonly bound: 'at-least' | 'at-most';
  /** Null where the fleet is too small for the promise to say anything. */
  readonly limit: number | null;
  readonly met: boolean | null;
  /** What the floors that were measured in the same run come to: nobody is below. Null where no floor says anything. */
  readonly floor: number | null;
}

type Promised = Omit<Target, 'measured' | 'met' | 'limit' | 'floor'> & {
  readonly measured: (read: Reader) => number | null;
  readonly floor?: (read: Reader) => number;
  /** Null: no promise for a fleet of that size. */
  readonly limit: (tenants: number) => number | null;
};

interface Reader {
  /** Median seconds of a figure; NaN for one that was not measured. */
  readonly seconds: (id: string) => number;
  /** The same for each tenant that it worked on. */
  readonly perTenant: (id: string) => number;
  /** The greatest peak of all processes; null where none was measured. */
  readonly memory: number | null;
}

const MEGABYTE = 1_000_000;

/** Measured on 1,000 tenants, fixed costs such as the start of a process would decide a smaller fleet's figures. */
const fromTenants = (least: number, limit: number) => (tenants: number) => (tenants >= least ? limit : null);
const always = (limit: number) => () => limit;

const PROMISED: readonly Promised[] = [
  {
    id: 'extensions-against-probing',
    text: 'extension phases, nothing to do: faster than probing',
    unit: 'times',
    bound: 'at-least',
    measured: ({ perTenant }) => perTenant('probing') / perTenant('plan-extensions'),
    limit: (tenants) => (tenants >= 10_000 ? 150 : tenants >= 1000 ? 50 : null),
  },
  {
    id: 'plan-against-floor',
    text: 'all phases, nothing to do: of the floor',
    unit: 'times',
    bound: 'at-most',
    measured: ({ seconds }) => seconds('plan') / seconds('plan-floor'),
    limit: fromTenants(1000, 3),
  },
  {
    id: 'plan-seconds',
    text: 'all phases, nothing to do',
    unit: 'seconds',
    bound: 'at-most',
    measured: ({ seconds }) => seconds('plan'),
    limit: fromTenants(10_000, 20),
  },
  {
    id: 'memory',
    text: 'peak memory of any command',
    unit: 'bytes',
    bound: 'at-most',
    measured: ({ memory }) => memory,
    limit: always(250 * MEGABYTE),
  },
  ...[1, 4].map(
    (concurrency): Promised => ({
      id: `apply-against-psql-${concurrency}`,
      text: `apply --concurrency ${concurrency} with its plan, verification included: of psql's time`,
      unit: 'times',
      bound: 'at-most',
      measured: ({ seconds }) => seconds(`apply-${concurrency}`) / seconds(`apply-floor-${concurrency}`),
      floor: ({ seconds }) => 1 + seconds('plan-floor') / seconds(`apply-floor-${concurrency}`),
      limit: fromTenants(1000, 1.5),
    }),
  ),
  // psql runs a plan's statements, and its time leaves out what making that plan takes.
  ...[1, 4].map(
    (concurrency): Promised => ({
      id: `applying-against-psql-${concurrency}`,
      text: `the same at --concurrency ${concurrency}, from the end of its plan`,
      unit: 'times',
      bound: 'at-most',
      measured: ({ seconds }) => seconds(`applying-${concurrency}`) / seconds(`apply-floor-${concurrency}`),
      limit: fromTenants(1000, 1.5),
    }),
  ),
  {
    id: 'provision',
    text: 'a new tenant, after start',
    unit: 'seconds',
    bound: 'at-most',
    measured: ({ seconds }) => seconds('provision-library'),
    // "A tenth of a second or so."
    limit: always(0.15),
  },
  ...['help', 'validate'].map(
    (id): Promised => ({
      id,
      text: id === 'help' ? 'trueup --help' : 'trueup validate',
      unit: 'seconds',
      bound: 'at-most',
      measured: ({ seconds }) => seconds(id),
      limit: always(0.5),
    }),
  ),
];

/** Holds figures against what was promised for a fleet of this size; promises about what was not measured are left out. */
export function targetsOf(figures: readonly Figure[], tenants: number): readonly Target[] {
  const find = (id: string): Figure | undefined => figures.find((one) => one.id === id);
  const memory = figures.flatMap(({ peakMemory }) => (peakMemory === null ? [] : [peakMemory]));
  const reader: Reader = {
    seconds: (id) => find(id)?.seconds.median ?? Number.NaN,
    perTenant: (id) => (find(id)?.seconds.median ?? Number.NaN) / (find(id)?.tenants ?? 1),
    memory: memory.length === 0 ? null : Math.max(...memory),
  };
  return PROMISED.flatMap((promised): Target[] => {
    const measured = promised.measured(reader);
    if (measured === null || Number.isNaN(measured)) return [];
    const limit = promised.limit(tenants);
    const met = limit === null ? null : promised.bound === 'at-least' ? measured >= limit : measured <= limit;
    const floor = promised.floor?.(reader) ?? Number.NaN;
    return [{ ...promised, measured, limit, met, floor: Number.isNaN(floor) ? null : floor }];
  });
}
