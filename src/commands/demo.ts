import * as Flags from '@oclif/core/flags';
import { IN_MEMORY } from '../cli/arguments.js';
import { BaseCommand } from '../cli/base-command.js';
import { EXIT_CODES } from '../cli/exit-codes.js';
import { paletteOf } from '../cli/palette.js';
import { programName } from '../cli/retry-command.js';
import { openEmbedded } from '../database/embedded-database.js';
import { demoDirectory } from '../demo/directory.js';
import { type DemoParts, hasPending, runDemo } from '../demo/run-demo.js';
import { againHeading, applyHeading, fleetText, nextText, planHeading } from '../demo/text.js';
import { FORMAT_VERSION } from '../format-version.js';
import { applyDocument } from '../report/apply-json.js';
import { applyText } from '../report/apply-text.js';
import { planDocument } from '../report/plan-json.js';
import { planText } from '../report/plan-text.js';

/** `trueup demo`: a fleet with every kind of drift in an embedded PostgreSQL, planned, applied, and planned again. */
export default class Demo extends BaseCommand<typeof Demo> {
  static override readonly summary = 'Make a fleet that has drifted, and true it up; no server needed.';
  static override readonly description =
    `Starts the built-in PostgreSQL in a fresh directory, makes 14 tenants from the shipped desired state, puts every kind of drift in, then runs plan, apply and plan. The fleet stays, for plan and apply to be tried on it. No server is connected to, whatever flags and variables say.

EXIT CODES
  0  the second plan has nothing pending
  1  an error
  4  the second plan has pending changes`;
  static override readonly examples = [
    '<%= config.bin %> demo',
    '<%= config.bin %> demo --embedded ./demo-fleet',
    '<%= config.bin %> demo --embedded',
  ];
  static override readonly flags = {
    embedded: Flags.string({
      description: 'keep the fleet in DIR, new or empty; without DIR in memory (default: a temporary directory)',
      helpValue: '[DIR]',
      helpGroup: 'TARGET',
    }),
  };

  protected override async execute(): Promise<number> {
    const directory = this.flags.embedded === IN_MEMORY ? null : demoDirectory(this.flags.embedded);
    this.#tell('Starting the embedded PostgreSQL …');
    const database = await openEmbedded(directory, { id: 'main', maxSessions: 1 });
    try {
      this.#tell('Making the fleet; the whole demonstration takes about half a minute …');
      const result = await runDemo(database, this.#parts(directory), this.progress());
      if (this.jsonRequested) {
        const hidden = { showValues: false };
        this.printJson({
          formatVersion: FORMAT_VERSION,
          directory,
          plan: planDocument(result.plan, hidden),
          apply: applyDocument(result.outcome, hidden),
          planAfter: planDocument(result.planAfter, hidden),
        });
      }
      return hasPending(result.planAfter) ? EXIT_CODES.failed : EXIT_CODES.success;
    } finally {
      await database.close();
    }
  }

  #parts(directory: string | null): DemoParts {
    const layout = { color: paletteOf(process.stdout), width: Math.max(40, process.stdout.columns ?? 100) };
    const options = { ...layout, showValues: false, verbose: false };
    return {
      built: () => this.print(`${fleetText(directory, layout)}\n`),
      planned: (plan) => this.print(`${planHeading(layout)}\n\n${planText(plan, options)}\n`),
      applied: (outcome, { phases }) =>
        this.print(`${applyHeading(layout)}\n\n${applyText(outcome, { ...options, phases })}\n`),
      plannedAgain: (plan) => {
        this.print(`${againHeading(layout)}\n\n${planText(plan, options)}\n`);
        this.print(nextText(programName(this.config.bin), directory, layout));
      },
    };
  }

  /** What takes time, said before it begins; on standard error. */
  #tell(text: string): void {
    if (!this.flags.quiet) process.stderr.write(`${text}\n`);
  }
}
