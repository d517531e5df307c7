import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.js';
import { showValuesFlags, targetFlags, targetsOf } from '../cli/flags.js';
import { planExitCode } from '../cli/outcome-exit-codes.js';
import { checkOutputFile, refuseNamedTwice, writeOutputFile } from '../cli/output-file.js';
import { paletteOf } from '../cli/palette.js';
import { RunReport, reportFlags } from '../cli/report-flag.js';
import { widthOf } from '../cli/report-width.js';
import { applyCommand, programName } from '../cli/retry-command.js';
import { requestFlags, requestOf } from '../cli/run-request.js';
import { statementLog } from '../cli/statement-log.js';
import { closeDatabases, openDatabases } from '../database/open-database.js';
import { checkPlanFilePath, planFileOf, writePlanFile } from '../plan/plan-file-write.js';
import { planFleet } from '../plan/plan-fleet.js';
import { TRUEUP_VERSION } from '../report/document-version.js';
import { MemberNames } from '../report/member-names.js';
import { planDocument } from '../report/plan-json.js';
import { planSql } from '../report/plan-sql.js';
import { planText } from '../report/plan-text.js';
import { TENANT_LIST_SIGNATURE } from '../report/tenant-list-columns.js';
import { visible } from '../report/visible.js';

/** `trueup plan`: shows the drift of the fleet and what apply would do. Never writes. */
export default class Plan extends BaseCommand<typeof Plan> {
  static override readonly summary = 'Show the drift of the whole fleet, and what apply would do about it.';
  static override readonly description =
    `Compares every tenant schema with the desired state and groups the tenants that need the same changes. Reads only: it works on a hot standby, and as a role that may only read. Files that do not validate touch no database.

EXIT CODES
  0  the fleet could be planned
  1  an error, or one of several databases could not be planned
  2  changes are pending (with --detailed-exitcode)
  3  changes are blocked (with --detailed-exitcode)
  4  some tenants could not be read
The worst wins: 1, 4, 3, 2, 0.`;
  static override readonly examples = [
    '<%= config.bin %> plan --database-url postgresql://deploy@db.example/app',
    '<%= config.bin %> plan --schema tenant_a --verbose',
    '<%= config.bin %> plan --backend vector=pgvector --json --detailed-exitcode',
    '<%= config.bin %> plan --out friday.plan.json && <%= config.bin %> apply friday.plan.json',
    '<%= config.bin %> plan --report plan.html',
    '<%= config.bin %> plan --tenant-list tenants.csv --quiet',
    '<%= config.bin %> plan --sql > plan.sql && psql -f plan.sql',
  ];
  static override readonly flags = {
    ...targetFlags,
    ...requestFlags,
    ...showValuesFlags,
    verbose: Flags.boolean({ description: 'show statements, locks, members and every tenant' }),
    sql: Flags.boolean({
      description: 'print a script for psql, with names and values filled in',
      exclusive: ['json'],
    }),
    out: Flags.string({
      description: 'save the plan, for apply FILE; holds values of rows, so only you may read it',
      helpValue: 'FILE',
    }),
    ...reportFlags,
    'tenant-list': Flags.string({
      description: 'write, as CSV, what each tenant is: in sync, or in which class of changes',
      helpValue: 'FILE',
    }),
    'detailed-exitcode': Flags.boolean({
      description: 'exit with 2 when changes are pending, 3 when some are blocked',
    }),
  };

  protected override async execute(): Promise<number> {
    const { flags } = this;
    const request = await requestOf(flags, process.env, this.progress());
    const list = flags['tenant-list'];
    if (flags.out !== undefined) await checkPlanFilePath(flags.out);
    if (list !== undefined) {
      refuseNamedTwice(list, 'tenant-list', [flags.out]);
      await checkOutputFile(list, 'tenant-list', { name: 'tenant list', signature: TENANT_LIST_SIGNATURE });
    }
    const report = await RunReport.at(flags.report, { showValues: flags['show-values'], others: [flags.out, list] });
    const databases = await openDatabases(targetsOf(flags, process.env, request.desired), {
      role: flags.role,
      // A large fleet is read by two at once.
      maxSessions: 2,
      observe: statementLog(this.logger, flags['show-values'] ? null : new MemberNames([request.desired])),
    });
    try {
      const plan = await planFleet(databases, request);
      if (flags.out !== undefined) await writePlanFile(flags.out, planFileOf(plan, TRUEUP_VERSION));
      // Loaded by those who ask for it.
      if (list !== undefined) {
        const { tenantList } = await import('../report/tenant-list.js');
        await writeOutputFile(list, 'tenant-list', tenantList(plan));
      }
      await report.write(plan, { kind: 'plan' });
      const showValues = flags['show-values'];
      if (this.jsonRequested) this.printJson(planDocument(plan, { showValues }));
      else if (flags.sql) for (const line of planSql(plan)) this.print(line);
      else {
        const width = widthOf(process.stdout);
        this.print(planText(plan, { verbose: flags.verbose, showValues, color: paletteOf(process.stdout), width }));
        if (flags.out !== undefined) {
          const { line, note } = applyCommand(programName(this.config.bin), flags.out, flags);
          this.print(`\nSaved. To apply it: ${line}${note === null ? '' : `\n${note}`}`);
        }
        if (flags.report !== undefined) this.print(`\nReport: ${visible(flags.report)}`);
      }
      return planExitCode(plan, { detailed: flags['detailed-exitcode'] });
    } finally {
      await closeDatabases(databases);
    }
  }
}
