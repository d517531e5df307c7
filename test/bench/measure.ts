import { type Spread, spread } from './statistics.js';
import { countWire, type Wire } from './wire-counter.js';

/** One run of something. */
export interface Sample {
  /** Wall time; with the start of the process where it is one. */
  readonly seconds: number;
  /** Bytes of resident memory; null where the work is done inside the bench. */
  readonly peakMemory: number | null;
}

/** Something to be measured. */
export interface Case {
  readonly id: string;
  readonly label: string;
  /** Tenants that it works on; 0 for what needs no database. */
  readonly tenants: number;
  /** Does it once, against the database at this URL. */
  readonly run: (url: string) => Promise<Sample>;
  /** Puts the fleet back into the state that `run` found; not timed. */
  readonly restore?: () => Promise<void>;
  /** False: it uses a session that is open already, where nothing can be counted. */
  readonly counted?: false;
}

/** What was measured of a case. */
export interface Figure {
  readonly id: string;
  readonly label: string;
  readonly tenants: number;
  readonly seconds: Spread;
  readonly runs: readonly number[];
  /** The greatest of all runs; bytes. */
  readonly peakMemory: number | null;
  /** What passed between it and the server, in a run of its own; null where there is none, or it is encrypted. */
  readonly wire: Wire | null;
}

/**
 * Measures cases in turns: one run of each, then the next of each, so that a busy minute of the machine falls on all alike.
 * A last run goes through a counting proxy and is not timed.
 */
export async function measureInTurns(
  cases: readonly Case[],
  { url, runs, say }: { readonly url: string; readonly runs: number; readonly say: (line: string) => void },
): Promise<readonly Figure[]> {
  const samples = cases.map((): Sample[] => []);
  for (let round = 1; round <= runs; round += 1) {
    for (const [index, one] of cases.entries()) {
      const sample = await one.run(url);
      samples[index]?.push(sample);
      say(`${one.label}: ${sample.seconds.toFixed(2)} s (${round} of ${runs})`);
      await one.restore?.();
    }
  }
  const figures: Figure[] = [];
  for (const [index, one] of cases.entries()) {
    const own = samples[index] ?? [];
    const seconds = own.map((sample) => sample.seconds);
    const memory = own.flatMap(({ peakMemory }) => (peakMemory === null ? [] : [peakMemory]));
    const wire = await counted(one, url);
    figures.push({
      id: one.id,
      label: one.label,
      tenants: one.tenants,
      seconds: spread(seconds),
      runs: seconds,
      peakMemory: memory.length === 0 ? null : Math.max(...memory),
      wire,
    });
  }
  return figures;
}

async function counted(one: Case, url: string): Promise<Wire | null> {
  if (one.tenants === 0 || one.counted === false) return null;
  const wire = await countWire(url, async (proxied) => void (await one.run(proxied)));
  await one.restore?.();
  return wire;
}

/** Times work that is done inside the bench. */
export async function timed(work: () => Promise<unknown>): Promise<Sample> {
  const began = performance.now();
  await work();
  return { seconds: (performance.now() - began) / 1000, peakMemory: null };
}
