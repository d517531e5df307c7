import type { FleetFacts } from './fleet.js';
import type { Figure } from './measure.js';
import type { Target } from './targets.js';

/** What a run of the bench gives: everything that is needed to judge and to repeat it. */
export interface BenchDocument {
  readonly formatVersion: '1.0';
  readonly createdAt: string;
  readonly trueupVersion: string;
  readonly machine: Machine;
  readonly server: {
    readonly version: string;
    /** What the bench set on a server of its own; null for another. */
    readonly settings: Readonly<Record<string, string>> | null;
  };
  readonly fleet: FleetFacts;
  /** Repetitions of each measurement. */
  readonly runs: number;
  /** A plan of all phases before those that are measured, which has filled the server's buffers. */
  readonly firstPlanSeconds: number;
  readonly figures: readonly Figure[];
  readonly targets: readonly Target[];
}

/** Where it ran; the server too, when it is the bench's own. */
export interface Machine {
  readonly cpus: number;
  readonly model: string;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
}
