import * as Flags from '@oclif/core/flags';
import type { ApplyEvent } from '../apply/events.js';
import type { FleetOutcome } from '../apply/fleet-outcome.js';
import type { Outcome } from '../apply/outcome.js';
import { redact } from '../database/redact.js';
import type { FleetPlan } from '../plan/fleet-plan.js';
import type { ReportedRun } from '../report/html/report.js';
import { REPORT_SIGNATURE } from '../report/html/signature.js';
import { withoutRowValues } from '../report/row-values.js';
import type { TrueupError } from '../trueup-error.js';
import { knownError } from './known-error.js';
import { checkOutputFile, refuseNamedTwice, writeOutputFile } from './output-file.js';

/** A page for people: plan and apply. */
export const reportFlags = {
  report: Flags.string({
    description: 'write it as one page of HTML too, that opens without network',
    helpValue: 'FILE',
  }),
};

/** The page that a run writes; nothing where none was asked for. */
export class RunReport {
  readonly #path: string | null;
  readonly #showValues: boolean;
  /** How the tenants that were begun have ended; null: not yet. */
  readonly #seen = new Map<string, { database: string; schema: string; outcome: Outcome | null }>();

  private constructor(path: string | null, showValues: boolean) {
    this.#path = path;
    this.#showValues = showValues;
  }

  /**
   * Checks the path before anything is planned: what stands there and is no report stays.
   * @param others further files that the run writes
   * @throws {TrueupError} OUTPUT_NOT_WRITTEN, USAGE where another is the same file
   */
  static async at(
    path: string | undefined,
    options: { readonly showValues: boolean; readonly others?: readonly (string | undefined)[] },
  ): Promise<RunReport> {
    if (path === undefined) return new RunReport(null, options.showValues);
    refuseNamedTwice(path, 'report', options.others ?? []);
    await checkOutputFile(path, 'report', { name: 'report', signature: REPORT_SIGNATURE });
    return new RunReport(path, options.showValues);
  }

  /** @throws {TrueupError} OUTPUT_NOT_WRITTEN */
  async write(plan: FleetPlan, run: ReportedRun): Promise<void> {
    if (this.#path === null) return;
    // Loaded by those who ask for it.
    const { htmlReport } = await import('../report/html/report.js');
    const page = htmlReport(plan, run, { showValues: this.#showValues });
    await writeOutputFile(this.#path, 'report', page, this.#showValues ? 0o600 : 0o644);
  }

  /** Remembers what a run tells of its tenants, for the page of one that breaks off. */
  observe(event: ApplyEvent): void {
    if (event.kind !== 'tenant-started' && event.kind !== 'tenant-finished') return;
    const { database, schema } = event;
    const outcome = event.kind === 'tenant-finished' ? event.outcome : null;
    this.#seen.set(`${database}\0${schema}`, { database, schema, outcome });
  }

  /**
   * The page of what a run did. The run is over whether its page can be written or not: an error is given back, so that
   * what was done is told all the same.
   */
  async end(plan: FleetPlan, outcome: FleetOutcome, retry: string | null): Promise<TrueupError | null> {
    return this.#last(plan, { kind: 'ended', outcome, retry });
  }

  /** The page of a run that an error ended. */
  async breakOff(plan: FleetPlan, thrown: unknown): Promise<TrueupError | null> {
    const { code, message, options } = knownError(thrown);
    const shown = redact(this.#showValues ? message : withoutRowValues(message), []);
    const where = options.where === undefined ? null : redact(options.where, []);
    const error = { code, message: shown, where, remedy: options.remedy ?? null };
    return this.#last(plan, { kind: 'broken', error, seen: [...this.#seen.values()] });
  }

  async #last(plan: FleetPlan, run: ReportedRun): Promise<TrueupError | null> {
    try {
      await this.write(plan, run);
      return null;
    } catch (error) {
      return knownError(error);
    }
  }
}
