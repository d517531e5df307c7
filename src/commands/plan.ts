import { Flags } from '@oclif/core';
import ansis from 'ansis';
import { BaseCommand } from '../cli/base-command.js';
import {
  approvalFlags,
  desiredStateFlags,
  loadOptionsOf,
  showValuesFlags,
  targetFlags,
  targetOf,
  tenantFlags,
} from '../cli/flags.js';
import { planExitCode } from '../cli/outcome-exit-codes.js';
import { openDatabase } from '../database/open-database.js';
import { loadDesiredState } from '../desired-state/load.js';
import { planFleet } from '../plan/plan-fleet.js';
import { planDocument } from '../report/plan-json.js';
import { planSql } from '../report/plan-sql.js';
import { planText } from '../report/plan-text.js';

/** The width of a report that goes to no terminal, or to one that does not say its own (0); columns. */
const WIDTH = 120;

/** `trueup plan`: shows the drift of the fleet and what apply would do. Never writes. */
export default class Plan extends BaseCommand<typeof Plan> {
  static override readonly summary = 'Show the drift of the whole fleet, and what apply would do about it.';
  static override readonly description =
    `Compares every tenant schema with the desired state and groups the tenants that need the same changes. Reads only: it works on a hot standby, and as a role that may only read. Files that do not validate touch no database.

EXIT CODES
  0  the fleet could be planned
  1  an error; nothing is planned
  2  changes are pending (with --detailed-exitcode)
  3  changes are blocked (with --detailed-exitcode)
  4  some tenants could not be read
The worst wins: 1, 4, 3, 2, 0.`;
  static override readonly examples = [
    '<%= config.bin %> plan --database-url postgresql://deploy@db.example/app',
    '<%= config.bin %> plan --schema tenant_a --verbose',
    '<%= config.bin %> plan --backend vector=pgvector --json --detailed-exitcode',
    '<%= config.bin %> plan --sql > plan.sql && psql -f plan.sql',
  ];
  static override readonly flags = {
    ...targetFlags,
    ...tenantFlags,
    ...desiredStateFlags,
    ...approvalFlags,
    ...showValuesFlags,
    verbose: Flags.boolean({ description: 'show statements, locks, members and every tenant' }),
    sql: Flags.boolean({
      description: 'print a script for psql, with names and values filled in',
      exclusive: ['json'],
    }),
    'detailed-exitcode': Flags.boolean({
      description: 'exit with 2 when changes are pending, 3 when some are blocked',
    }),
  };

  protected override async execute(): Promise<number> {
    const { flags } = this;
    const options = loadOptionsOf(flags, process.env);
    const desired = await loadDesiredState(options);
    const target = targetOf(flags, process.env, desired.connectionVariables);
    const database = await openDatabase(target, { id: 'main', role: flags.role });
    try {
      const plan = await planFleet(database, {
        desired,
        reload: (changes) => loadDesiredState({ ...options, ...changes }),
        selection: {
          schemas: flags.schema ?? [],
          exclude: flags['exclude-schema'] ?? [],
          allowEmpty: flags['allow-empty'],
          allowAbsent: false,
        },
        allow: new Set(flags.allow),
        progress: this.progress(),
      });
      const showValues = flags['show-values'];
      if (this.jsonRequested) this.printJson(planDocument(plan, { showValues }));
      else if (flags.sql) for (const line of planSql(plan)) this.print(line);
      else {
        const width = process.stdout.columns || WIDTH;
        this.print(planText(plan, { verbose: flags.verbose, showValues, color: ansis, width }));
      }
      return planExitCode(plan, { detailed: flags['detailed-exitcode'] });
    } finally {
      await database.close();
    }
  }
}
