import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.js';
import { parseDuration } from '../cli/durations.js';
import { desiredStateFlags, targetFlags, targetsOf, tenantFlags } from '../cli/flags.js';
import { doctorExitCode } from '../cli/outcome-exit-codes.js';
import { paletteOf } from '../cli/palette.js';
import { widthOf } from '../cli/report-width.js';
import { runFlags } from '../cli/run-flags.js';
import { requestOf } from '../cli/run-request.js';
import { statementLog } from '../cli/statement-log.js';
import { closeDatabases, openDatabases } from '../database/open-database.js';
import { doctorDefaults, examineFleet } from '../doctor/examine-fleet.js';
import { doctorDocument } from '../report/doctor-json.js';
import { doctorText } from '../report/doctor-text.js';
import { MemberNames } from '../report/member-names.js';

/** Connections to tell a pooler by: one that reads and three that probe. */
const SESSIONS = 4;

/** `trueup doctor`: looks at what surrounds the fleet. Never writes. */
export default class Doctor extends BaseCommand<typeof Doctor> {
  static override readonly summary =
    'Look at the server, the role and whoever else is at work: what keeps plan and apply from their work.';
  static override readonly description =
    `Checks server version and settings, free connections, poolers, privileges, extensions and their schemas, the lock table, open and prepared transactions, replication slots, migrations at work, vacuum, INVALID and unused indexes. Each finding says what, why it matters here, and the statement or command that mends it.

Reads catalogs only and makes nothing itself: it works on a hot standby, and as a role that may only read.

EXIT CODES
  0  no problem was found; warnings and notes are no problem
  1  an error, or a database that could not be looked at
  2  at least one problem was found`;
  static override readonly examples = [
    '<%= config.bin %> doctor --database-url postgresql://deploy@db.example/app',
    '<%= config.bin %> doctor --concurrency 16 --verbose',
    '<%= config.bin %> doctor --backend text-search=pg_textsearch --json',
  ];
  static override readonly flags = {
    ...targetFlags,
    schema: tenantFlags.schema,
    'exclude-schema': tenantFlags['exclude-schema'],
    ...desiredStateFlags,
    concurrency: Flags.integer({
      description: 'the connections that apply would open',
      helpValue: 'N',
      min: 1,
      default: doctorDefaults().concurrency,
      helpGroup: 'RUN',
    }),
    'lock-timeout': runFlags['lock-timeout'],
    verbose: Flags.boolean({ description: 'show what is well, too' }),
  };

  protected override async execute(): Promise<number> {
    const { flags } = this;
    const { desired, reload, selection, progress } = await requestOf(flags, process.env, this.progress());
    const databases = await openDatabases(targetsOf(flags, process.env, desired), {
      role: flags.role,
      maxSessions: SESSIONS,
      observe: statementLog(this.logger, new MemberNames([desired])),
    });
    try {
      const seen = await examineFleet(databases, {
        desired,
        ...(reload === undefined ? {} : { reload }),
        selection,
        progress,
        ...doctorDefaults(),
        concurrency: flags.concurrency,
        lockTimeout: parseDuration(flags['lock-timeout'], 'lock-timeout', 1),
      });
      if (this.jsonRequested) this.printJson(doctorDocument(seen));
      else {
        const width = widthOf(process.stdout);
        this.print(doctorText(seen, { verbose: flags.verbose, color: paletteOf(process.stdout), width }));
      }
      return doctorExitCode(seen);
    } finally {
      await closeDatabases(databases);
    }
  }
}
