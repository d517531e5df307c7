import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.js';
import { EXIT_CODES } from '../cli/exit-codes.js';
import { targetFlags, targetOf } from '../cli/flags.js';
import { printable } from '../cli/printable.js';
import { programName } from '../cli/retry-command.js';
import { statementLog } from '../cli/statement-log.js';
import { counted } from '../counted.js';
import { openDatabase } from '../database/open-database.js';
import { FORMAT_VERSION } from '../format-version.js';
import { inspectTenant } from '../inspect/inspect-tenant.js';
import type { Inspection } from '../inspect/inspection.js';
import { checkDirectory, writeFiles } from '../inspect/write-files.js';
import { MemberNames } from '../report/member-names.js';
import { shellQuoted } from '../shell-quoted.js';

/** `trueup inspect`: writes the desired state of an existing tenant. Reads the database only. */
export default class Inspect extends BaseCommand<typeof Inspect> {
  static override readonly summary = 'Write the desired state of an existing tenant.';
  static override readonly description =
    `Reads one schema and writes fleet.yaml and base.yaml, so that plan with them is in sync for that schema: they are planned before they are written. What the format cannot say is left out, with a note in the file. Indexes that follow from the rows of a table are written as an index family where those rows give exactly the indexes that there are.

Without --out the files go to standard output.

EXIT CODES
  0  the files are written
  1  an error; nothing is written`;
  static override readonly examples = [
    '<%= config.bin %> inspect --schema tenant_a --out desired-state && <%= config.bin %> plan',
    '<%= config.bin %> inspect --schema tenant_a --database-url postgresql://deploy@db.example/app',
  ];
  static override readonly flags = {
    ...targetFlags,
    schema: Flags.string({
      description: 'the tenant to write down',
      helpValue: 'NAME',
      required: true,
      helpGroup: 'TENANTS',
    }),
    out: Flags.string({ description: 'the directory to write; empty, or not there yet', helpValue: 'DIR' }),
    force: Flags.boolean({
      description: 'overwrite fleet.yaml and base.yaml in a directory that is not empty',
      dependsOn: ['out'],
    }),
  };

  protected override async execute(): Promise<number> {
    const { schema, out, force } = this.flags;
    const directory = out === undefined ? null : resolve(out);
    if (directory !== null) await checkDirectory(directory, { force });
    const database = await openDatabase(targetOf(this.flags, process.env, []), {
      id: 'main',
      role: this.flags.role,
      observe: statementLog(this.logger, new MemberNames([])),
    });
    try {
      const schemas = directory === null ? {} : schemaDirectory(directory);
      const inspection = await inspectTenant(database, { schema, progress: this.progress(), ...schemas });
      const written = directory === null ? null : await writeFiles(directory, inspection.files);
      if (this.jsonRequested) this.printJson(asDocument(inspection, directory));
      else if (written === null) this.#printFiles(inspection);
      else this.#printSummary(inspection, directory ?? '');
      return EXIT_CODES.success;
    } finally {
      await database.close();
    }
  }

  /** One YAML document a file, its path as a comment. */
  #printFiles({ files }: Inspection): void {
    for (const { path, text } of files) this.print(`---\n# ${path}\n${text}`.trimEnd());
  }

  #printSummary(inspection: Inspection, directory: string): void {
    const shown = relative(process.cwd(), directory) || '.';
    const place = shown.startsWith('..') ? directory : shown;
    this.print(`Wrote ${inspection.files.map(({ path }) => join(place, path)).join(' and ')}.`);
    this.print(`A plan with them is in sync for schema "${printable(inspection.schema)}".`);
    for (const { table, name, members } of inspection.families)
      this.print(`Index family ${printable(name)} of ${printable(table)}: ${counted(members, 'index', 'indexes')}.`);
    if (inspection.notes.length > 0) this.print('\nLeft out, or to look at:');
    for (const { what, why } of inspection.notes) this.print(printable(`  ${what}: ${why}`));
    if (inspection.values.length > 0) this.print('\nValues of this tenant in the files:');
    for (const value of inspection.values) this.print(printable(`  ${value}`));
    this.print(`\nNext: ${programName(this.config.bin)} plan --desired-state ${shellQuoted(place)}`);
  }
}

/** The published JSON Schemas, as the files name them: by a path that holds on other machines, where there is one. */
function schemaDirectory(directory: string): { readonly schemaDirectory?: string } {
  const schemas = fileURLToPath(new URL('../../src/desired-state/schema', import.meta.url));
  const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/[\\/]node_modules[\\/].*$/u, '');
  const project = root.endsWith(sep) ? root : root + sep;
  if (!directory.startsWith(project)) return {};
  return { schemaDirectory: relative(directory, schemas).split(sep).join('/') };
}

function asDocument({ schema, files, notes, families, values }: Inspection, directory: string | null) {
  return {
    formatVersion: FORMAT_VERSION,
    schema,
    directory,
    inSync: true,
    files: files.map(({ path, text }) => (directory === null ? { path, text } : { path })),
    families,
    notes: notes.map(({ what, why, table }) => ({ what, why, table })),
    values,
  };
}
