import { BaseCommand } from '../cli/base-command.js';
import { EXIT_CODES } from '../cli/exit-codes.js';
import { desiredStateFlags, loadOptionsOf } from '../cli/flags.js';
import { counted } from '../counted.js';
import { type ValidationSummary, validateDesiredState } from '../desired-state/validate.js';
import { FORMAT_VERSION } from '../format-version.js';

/** `trueup validate`: checks the desired state's files, every backend of every phase, without any database. */
export default class Validate extends BaseCommand<typeof Validate> {
  static override readonly summary = 'Check the files of the desired state, without a database.';
  static override readonly description =
    `Loads the desired state, fills in its parameters, parses every SQL fragment, and does so for each backend of each phase. Shows all problems at once, with file, line and column.

EXIT CODES
  0  the files are valid
  1  they are not, or could not be read`;
  static override readonly examples = [
    '<%= config.bin %> validate',
    '<%= config.bin %> validate --desired-state ./desired-state --backend vector=pgvector',
  ];
  static override readonly flags = { ...desiredStateFlags };

  protected override async execute(): Promise<number> {
    const summary = await validateDesiredState(loadOptionsOf(this.flags, process.env));
    if (this.jsonRequested) this.printJson({ formatVersion: FORMAT_VERSION, valid: true, ...summary });
    else this.print(asText(summary));
    return EXIT_CODES.success;
  }
}

function asText(summary: ValidationSummary): string {
  const phases = summary.phases.map((phase) =>
    phase.backend === null
      ? `  ${phase.name}`
      : `  ${phase.name}: ${phase.backend} (${phase.source}); checked: ${phase.backends.join(', ')}`,
  );
  const parameters = Object.entries(summary.parameters).map(
    ([name, { value, source }]) => `  ${name} = ${value === null ? '(none)' : JSON.stringify(value)} (${source})`,
  );
  return [
    `${summary.directory} is valid.`,
    `${counted(summary.tables, 'table')}, ${counted(summary.materializedViews, 'materialized view')}, ${counted(summary.columns, 'column')}, ` +
      `${counted(summary.indexes, 'index', 'indexes')}, ${counted(summary.indexFamilies, 'index family', 'index families')}`,
    'Phases:',
    ...phases,
    ...(parameters.length === 0 ? [] : ['Parameters:', ...parameters]),
  ].join('\n');
}
