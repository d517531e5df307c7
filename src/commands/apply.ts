import { createInterface } from 'node:readline';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { admitDatabases } from '../apply/admit-databases.js';
import { applyFleet } from '../apply/apply-fleet.js';
import type { FleetOutcome } from '../apply/fleet-outcome.js';
import type { ApplyRequest } from '../apply/request.js';
import { RunControl } from '../apply/run-control.js';
import { approvesChanges, checkPlan, withGone } from '../apply/saved-plan.js';
import { isWork } from '../apply/work.js';
import { BaseCommand } from '../cli/base-command.js';
import { EXIT_CODES, worstExitCode } from '../cli/exit-codes.js';
import { showValuesFlags, targetFlags, targetsOf } from '../cli/flags.js';
import { workStandsWithoutOutput } from '../cli/lost-output.js';
import { applyExitCode } from '../cli/outcome-exit-codes.js';
import { paletteOf } from '../cli/palette.js';
import { RunReport, reportFlags } from '../cli/report-flag.js';
import { widthOf } from '../cli/report-width.js';
import { programName, retryFor } from '../cli/retry-command.js';
import { type RunOptions, runFlags, runOptionsOf } from '../cli/run-flags.js';
import { runObserver } from '../cli/run-observer.js';
import { refuseBesideFile, requestFlags, requestOf, savedRequestOf } from '../cli/run-request.js';
import { handleSignals } from '../cli/signals.js';
import { statementLog } from '../cli/statement-log.js';
import { counted } from '../counted.js';
import { closeDatabases, openDatabases } from '../database/open-database.js';
import type { Database } from '../database/session.js';
import type { FleetPlan } from '../plan/fleet-plan.js';
import type { PlanFile } from '../plan/plan-file.js';
import { readPlanFile } from '../plan/plan-file-read.js';
import { planFleet } from '../plan/plan-fleet.js';
import type { PlanRequest } from '../plan/request.js';
import { NO_PROGRESS } from '../progress.js';
import { applyDocument } from '../report/apply-json.js';
import { applyText } from '../report/apply-text.js';
import { MemberNames } from '../report/member-names.js';
import { planText } from '../report/plan-text.js';
import { visible } from '../report/visible.js';
import { TrueupError } from '../trueup-error.js';

/** `trueup apply`: converges the fleet, after showing what it is about to do. */
export default class Apply extends BaseCommand<typeof Apply> {
  static override readonly summary = 'Converge the fleet with only the DDL that it needs.';
  static override readonly description =
    `Shows the plan, asks, makes the pending changes and introspects every changed tenant again: it has converged when nothing differs any more. What fails stops that tenant alone. Blocked changes are not made; the plan says what would have to be done or approved.

EXIT CODES
  0  in sync, or converged
  1  an error, or not confirmed: nothing was done; or, of several databases, one could not be planned
  3  changes are blocked
  4  some tenants failed
  5  tenants are left over: run again
  6  it came to its end, but its output could not be written
  130, 143  interrupted
The worst wins: 1, 130, 143, 4, 3, 5, 6, 0.`;
  static override readonly examples = [
    '<%= config.bin %> apply --database-url postgresql://deploy@db.example/app',
    '<%= config.bin %> apply --skip-extension-reconcile --yes',
    '<%= config.bin %> apply --create-schema --schema tenant_b --yes',
    '<%= config.bin %> apply --backend vector=vchord --allow rebuild-index',
    '<%= config.bin %> plan --out friday.plan.json && <%= config.bin %> apply friday.plan.json',
    '<%= config.bin %> apply --yes --report apply.html',
    '<%= config.bin %> apply --yes --canary 5 --max-failures 1% --deadline 04:30',
  ];
  static override readonly args = {
    file: Args.string({ description: 'a plan that plan --out saved: its changes are approved, and no others' }),
  };
  static override readonly flags = {
    ...targetFlags,
    ...requestFlags,
    ...showValuesFlags,
    verbose: Flags.boolean({ description: 'show statements, locks, members and every tenant' }),
    ...reportFlags,
    yes: Flags.boolean({ description: 'do not ask', aliases: ['auto-approve'], helpGroup: 'APPROVAL' }),
    ...runFlags,
  };

  protected override async execute(): Promise<number> {
    const { flags } = this;
    workStandsWithoutOutput();
    const run = runOptionsOf(flags);
    const file = this.args.file === undefined ? null : await this.#saved(this.args.file);
    // Lines of JSON and a bar would stand in each other's way.
    const progress = flags.events ? NO_PROGRESS : this.progress();
    const request = await (file === null
      ? requestOf(flags, process.env, progress)
      : savedRequestOf(file, flags, process.env, progress));
    const report = await RunReport.at(flags.report, {
      showValues: flags['show-values'],
      others: [this.args.file],
    });
    const options = {
      role: flags.role,
      maxSessions: flags.concurrency,
      observe: statementLog(this.logger, flags['show-values'] ? null : new MemberNames([request.desired])),
    };
    const databases = await openDatabases(targetsOf(flags, process.env, request.desired), options);
    try {
      return await this.#converge(databases, request, run, file, report);
    } finally {
      await closeDatabases(databases);
    }
  }

  async #converge(
    databases: readonly Database[],
    request: PlanRequest,
    run: RunOptions,
    file: PlanFile | null,
    report: RunReport,
  ): Promise<number> {
    const { flags } = this;
    const { admitted, plan, checked } = await this.#planned(databases, request, file);
    if (file === null && hasPending(plan) && !flags.yes && !(await this.#confirmed(plan, report)))
      return EXIT_CODES.interrupted;
    await report.write(plan, { kind: 'begun' });
    const outcome = await this.#applied(
      admitted,
      plan,
      { ...request, ...run, approved: checked?.approved ?? null },
      report,
    );
    const result = checked === null ? outcome : withGone(outcome, checked.gone);
    const retry = retryFor(result, file !== null, programName(this.config.bin), process.argv.slice(2));
    const unwritten = await report.end(plan, result, retry?.line ?? null);
    if (this.jsonRequested)
      this.printJson(applyDocument(result, { showValues: flags['show-values'], retry: retry?.line ?? null }));
    else if (this.#isText)
      this.print(`\n${applyText(result, { ...this.#form(), phases: request.desired.phases, retry })}`);
    else if (retry !== null) this.logger.notice(`Run again for what is left: ${retry.line}`);
    if (this.#isText && flags.report !== undefined && unwritten === null)
      this.print(`\nReport: ${visible(flags.report)}`);
    this.#sayUnwritten(unwritten);
    return worstExitCode([applyExitCode(result), ...(unwritten === null ? [] : [EXIT_CODES.outputLost])]);
  }

  /** What is to be done, said; of a saved plan what of it still holds. */
  async #planned(databases: readonly Database[], request: PlanRequest, file: PlanFile | null) {
    const { admitted, failed, absent } =
      file === null ? { admitted: databases, failed: [], absent: [] } : await admitDatabases(file, databases);
    // Its batches are read in the same words.
    const made = await planFleet(admitted, { ...request, again: true });
    const planned = { ...made, failedDatabases: [...failed, ...made.failedDatabases] };
    const checked = file === null ? null : checkPlan(file, planned);
    const plan = checked?.plan ?? planned;
    if (this.#isText) this.print(planText(plan, this.#form()));
    if (file !== null && checked !== null) this.#sayWhatIsLeftAlone(file, checked.appeared, absent);
    return { admitted, plan, checked };
  }

  /** Applies the plan under the signals, and tells of it meanwhile. */
  async #applied(
    databases: readonly Database[],
    plan: FleetPlan,
    request: Omit<ApplyRequest, 'control' | 'observe'>,
    report: RunReport,
  ): Promise<FleetOutcome> {
    const control = new RunControl();
    const isOver = handleSignals(control, {
      drainTimeout: request.limits.drainTimeout,
      say: (text) => this.logger.notice(text),
    });
    const observe = runObserver({
      lines: this.#isText ? null : this.jsonRequested ? process.stderr : process.stdout,
      progress: request.progress,
      log: this.logger,
      names: new MemberNames(plan.databases.map((one) => one.desired)),
      showValues: this.flags['show-values'],
    });
    try {
      return await applyFleet(databases, plan, {
        ...request,
        control,
        observe: (event) => {
          report.observe(event);
          observe(event);
        },
      });
    } catch (error) {
      this.#sayUnwritten(await report.breakOff(plan, error));
      throw error;
    } finally {
      isOver();
    }
  }

  /** Whether the plan and the outcome are printed as text; else events are, or with them one document. */
  get #isText(): boolean {
    return !this.flags.events;
  }

  #form() {
    const { verbose, 'show-values': showValues } = this.flags;
    return { verbose, showValues, color: paletteOf(process.stdout), width: widthOf(process.stdout) };
  }

  /** What was done is told all the same, and by more than a page. */
  #sayUnwritten(error: TrueupError | null): void {
    if (error !== null) this.warn(`${error.message}: the report is not of this run's end`);
  }

  async #saved(path: string): Promise<PlanFile> {
    refuseBesideFile(this.flags);
    return readPlanFile(path);
  }

  #sayWhatIsLeftAlone(file: PlanFile, appeared: number, absent: readonly string[]): void {
    if (absent.length > 0)
      this.warn(
        `the plan is of ${counted(absent.length, 'database')} more (${absent.join(', ')}), of which this run was told nothing: left alone`,
      );
    if (appeared > 0)
      this.warn(
        `${appeared} ${appeared === 1 ? 'tenant has' : 'tenants have'} come since the plan was made: left alone`,
      );
    if (!this.flags.events && !approvesChanges(file))
      this.print('\nThe plan file has no pending changes: there is nothing to apply.');
  }

  /** False: interrupted at the question. */
  async #confirmed(plan: FleetPlan, report: RunReport): Promise<boolean> {
    const { flags } = this;
    await report.write(plan, { kind: 'awaiting' });
    if (this.#isText && flags.report !== undefined) this.print(`\nAs a page: ${visible(flags.report)}`);
    if (this.jsonRequested || flags.events || process.stdin.isTTY !== true || process.stdout.isTTY !== true) {
      throw new TrueupError('CONFIRMATION_REQUIRED', 'changes are pending and nobody can be asked: nothing was done', {
        remedy: 'look at the plan (trueup plan), then run apply with --yes',
      });
    }
    const answer = await asked("\nDo you want to perform these changes? Only 'yes' will be accepted: ");
    if (answer === null) return false;
    if (answer.trim() === 'yes') return true;
    throw new TrueupError('CONFIRMATION_REQUIRED', 'not confirmed: nothing was done', {
      remedy: "answer 'yes', or run apply with --yes",
    });
  }
}

const hasPending = (plan: FleetPlan): boolean =>
  plan.databases.some((database) => database.databaseChanges.some((change) => change.status === 'pending')) ||
  plan.classes.some((group) => group.changes.some(({ change }) => isWork(change)));

/** What was typed at a terminal; null for Ctrl-C or the end of the input, which close the interface. */
function asked(question: string): Promise<string | null> {
  return new Promise((resolve) => {
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    terminal.once('close', () => resolve(null));
    terminal.question(question, (answer) => {
      resolve(answer);
      terminal.close();
    });
  });
}
