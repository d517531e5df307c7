import { createInterface } from 'node:readline';
import { Flags } from '@oclif/core';
import ansis from 'ansis';
import { applyFleet } from '../apply/apply-fleet.js';
import { DEFAULT_LIMITS } from '../apply/apply-tenant.js';
import { BaseCommand } from '../cli/base-command.js';
import { EXIT_CODES } from '../cli/exit-codes.js';
import {
  approvalFlags,
  desiredStateFlags,
  loadOptionsOf,
  showValuesFlags,
  targetFlags,
  targetOf,
  tenantFlags,
} from '../cli/flags.js';
import { applyExitCode } from '../cli/outcome-exit-codes.js';
import { openDatabase } from '../database/open-database.js';
import type { Database } from '../database/session.js';
import { loadDesiredState } from '../desired-state/load.js';
import type { LoadOptions } from '../desired-state/load-options.js';
import type { DesiredState } from '../desired-state/model.js';
import type { FleetPlan } from '../plan/fleet-plan.js';
import { planFleet } from '../plan/plan-fleet.js';
import { applyDocument } from '../report/apply-json.js';
import { applyText } from '../report/apply-text.js';
import { planText } from '../report/plan-text.js';
import { TrueupError } from '../trueup-error.js';

/** The width of a report that goes to no terminal, or to one that does not say its own (0); columns. */
const WIDTH = 120;

/** `trueup apply`: converges the fleet, after showing what it is about to do. */
export default class Apply extends BaseCommand<typeof Apply> {
  static override readonly summary = 'Converge the fleet with only the DDL that it needs.';
  static override readonly description =
    `Shows the plan, asks, makes the pending changes and introspects every changed tenant again: it has converged when nothing differs any more. What fails stops that tenant alone. Blocked changes are not made; the plan says what would have to be done or approved.

EXIT CODES
  0  in sync, or converged
  1  an error, or not confirmed; nothing was done
  3  changes are blocked
  4  some tenants failed
  5  tenants are left over: run again
  130, 143  interrupted
The worst wins: 1, 130, 143, 4, 3, 5, 0.`;
  static override readonly examples = [
    '<%= config.bin %> apply --database-url postgresql://deploy@db.example/app',
    '<%= config.bin %> apply --skip-extension-reconcile --yes',
    '<%= config.bin %> apply --create-schema --schema tenant_b --yes',
    '<%= config.bin %> apply --backend vector=vchord --allow rebuild-index --concurrency 4',
  ];
  static override readonly flags = {
    ...targetFlags,
    ...tenantFlags,
    ...desiredStateFlags,
    ...approvalFlags,
    ...showValuesFlags,
    verbose: Flags.boolean({ description: 'show statements, locks, members and every tenant' }),
    yes: Flags.boolean({ description: 'do not ask', aliases: ['auto-approve'], helpGroup: 'APPROVAL' }),
    'create-schema': Flags.boolean({
      description: 'make the schemas named by --schema that do not exist',
      dependsOn: ['schema'],
      helpGroup: 'TENANTS',
    }),
    concurrency: Flags.integer({
      description: 'open at most this many connections',
      helpValue: 'N',
      min: 1,
      default: 2,
    }),
  };

  protected override async execute(): Promise<number> {
    const { flags } = this;
    this.#refuseHalfTenants();
    const options = loadOptionsOf(flags, process.env);
    const desired = await loadDesiredState(options);
    const target = targetOf(flags, process.env, desired.connectionVariables);
    const database = await openDatabase(target, { id: 'main', role: flags.role, maxSessions: flags.concurrency });
    try {
      return await this.#converge(database, desired, options);
    } finally {
      await database.close();
    }
  }

  async #converge(database: Database, desired: DesiredState, options: LoadOptions): Promise<number> {
    const { flags } = this;
    const request = {
      desired,
      reload: (changes: Partial<LoadOptions>) => loadDesiredState({ ...options, ...changes }),
      selection: {
        schemas: flags.schema ?? [],
        exclude: flags['exclude-schema'] ?? [],
        allowEmpty: flags['allow-empty'],
        allowAbsent: flags['create-schema'],
      },
      allow: new Set(flags.allow),
      progress: this.progress(),
    };
    const plan = await planFleet(database, request);
    const showValues = flags['show-values'];
    const form = { verbose: flags.verbose, showValues, color: ansis, width: process.stdout.columns || WIDTH };
    this.print(planText(plan, form));
    if (hasPending(plan) && !(await this.#confirmed())) return EXIT_CODES.interrupted;
    const result = await applyFleet(database, plan, {
      ...request,
      concurrency: flags.concurrency,
      limits: DEFAULT_LIMITS,
    });
    if (this.jsonRequested) this.printJson(applyDocument(result, { showValues }));
    else this.print(`\n${applyText(result, { ...form, phases: desired.phases })}`);
    return applyExitCode(result);
  }

  /** A schema that is made without some of its phases would lack their columns. */
  #refuseHalfTenants(): void {
    const { flags } = this;
    if (!flags['create-schema']) return;
    const partial = flags['skip-extension-reconcile'] ? '--skip-extension-reconcile' : '--phase';
    if (!flags['skip-extension-reconcile'] && (flags.phase ?? []).length === 0) return;
    throw new TrueupError('USAGE', `--create-schema cannot be used with ${partial}: its tables would lack columns`, {
      remedy: `leave out ${partial} when you make a tenant`,
    });
  }

  /** False: interrupted at the question. */
  async #confirmed(): Promise<boolean> {
    if (this.flags.yes) return true;
    if (this.jsonRequested || process.stdin.isTTY !== true || process.stdout.isTTY !== true) {
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
  plan.classes.some((group) => group.changes.some(({ change }) => change.status === 'pending'));

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
