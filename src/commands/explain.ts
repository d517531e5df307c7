import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.js';
import { parseDuration } from '../cli/durations.js';
import { EXIT_CODES } from '../cli/exit-codes.js';
import {
  assignments,
  desiredStateFlags,
  loadOptionsOf,
  showValuesFlags,
  targetFlags,
  targetsOf,
  tenantFlags,
} from '../cli/flags.js';
import { paletteOf } from '../cli/palette.js';
import { widthOf } from '../cli/report-width.js';
import { closeDatabases, openDatabases } from '../database/open-database.js';
import { loadDesiredState } from '../desired-state/load.js';
import { explainFleet } from '../explain/explain-fleet.js';
import { explainDocument } from '../report/explain-json.js';
import { explainText } from '../report/explain-text.js';
import { MemberNames } from '../report/member-names.js';

/** `trueup explain`: shows by which indexes the planner serves the declared probes. */
export default class Explain extends BaseCommand<typeof Explain> {
  static override readonly summary = 'Show which index the planner takes for the queries that indexes are there for.';
  static override readonly description =
    `Plans the probes that the files declare: queries of the application, with its settings, on the largest partition of the largest tenant or on those that are named. Each probe has a verdict:

  member              takes the partition's own index
  index               takes the declared index
  exact               reads the partition by another index; fails when large
  sequential          reads the whole table; fails when large
  global-post-filter  searches an index over all partitions; fails
  other-index         takes an index that nothing declares for this; fails
  no-rows             has nothing to plan with
  unreadable          the server refused; fails

Large is what has more rows than the probe's exact_rows. Reads only: EXPLAIN does not execute a query, unless --analyze is given. Values come from a row of the partition, and are hidden in the report. --hypothetical alone writes: it drops, in a transaction that is rolled back, the indexes over the whole table that nothing declares, and plans again without them. That holds an ACCESS EXCLUSIVE lock on the table for the length of an EXPLAIN, waits for it 300 ms at most, and needs the table's owner.

EXIT CODES
  0  every probe is well served
  1  an error
  4  a probe failed`;
  static override readonly examples = [
    '<%= config.bin %> explain --database-url postgresql://deploy@db.example/app',
    '<%= config.bin %> explain --schema tenant_a --probe recall --value shop.id=acme',
    '<%= config.bin %> explain --schema tenant_a --hypothetical --analyze',
    '<%= config.bin %> explain --backend vector=vchord --json',
  ];
  static override readonly flags = {
    ...targetFlags,
    schema: Flags.string({
      description: 'probe this tenant, not the largest (repeatable)',
      helpValue: 'NAME',
      helpGroup: 'TENANTS',
      multiple: true,
    }),
    'exclude-schema': tenantFlags['exclude-schema'],
    ...desiredStateFlags,
    probe: Flags.string({
      description: 'only the probes of this name (repeatable)',
      helpValue: 'NAME',
      helpGroup: 'PROBES',
      multiple: true,
    }),
    value: Flags.string({
      description: 'the partition with this value, such as SET.VALUE of the family, not the largest (repeatable)',
      helpValue: 'NAME=VALUE',
      helpGroup: 'PROBES',
      multiple: true,
    }),
    hypothetical: Flags.boolean({
      description: 'plan also without undeclared indexes over the whole table; locks it for an EXPLAIN, rolls back',
      helpGroup: 'PROBES',
    }),
    analyze: Flags.boolean({ description: 'execute each probe once, read only', helpGroup: 'PROBES' }),
    'statement-timeout': Flags.string({
      description: 'what a statement may take',
      helpValue: 'DURATION',
      helpGroup: 'PROBES',
      default: '60s',
    }),
    ...showValuesFlags,
  };

  protected override async execute(): Promise<number> {
    const { flags } = this;
    const values = assignments(flags.value ?? [], '--value', 'NAME=VALUE');
    const statementTimeout = parseDuration(flags['statement-timeout'], 'statement-timeout', 1);
    const load = loadOptionsOf(flags, process.env);
    const desired = await loadDesiredState(load);
    const databases = await openDatabases(targetsOf(flags, process.env, desired), { role: flags.role, maxSessions: 1 });
    try {
      const explanation = await explainFleet(databases, {
        desired,
        reload: (changes) => loadDesiredState({ ...load, ...changes }),
        selection: {
          schemas: flags.schema ?? [],
          exclude: flags['exclude-schema'] ?? [],
          allowEmpty: false,
          allowAbsent: false,
        },
        probes: flags.probe ?? [],
        values,
        hypothetical: flags.hypothetical,
        analyze: flags.analyze,
        statementTimeout,
        progress: this.progress(),
      });
      const hide = flags['show-values'] ? null : new MemberNames(explanation.states);
      if (this.jsonRequested) this.printJson(explainDocument(explanation, { hide }));
      else
        this.print(
          explainText(explanation, { hide, color: paletteOf(process.stdout), width: widthOf(process.stdout) }),
        );
      return explanation.results.every((result) => result.ok) ? EXIT_CODES.success : EXIT_CODES.failed;
    } finally {
      await closeDatabases(databases);
    }
  }
}
