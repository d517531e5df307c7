import type { Command } from '@oclif/core/command';
import type * as Interfaces from '@oclif/core/interfaces';
import { pathKind } from '../path-values.js';

/** What may stand where a value is expected. */
export type Values =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'files' }
  | { readonly kind: 'directories' }
  /** Something that a shell cannot know, such as the name of a schema. */
  | { readonly kind: 'anything' };

/** A flag, by one of its names, without the dashes. */
export interface CompletedFlag {
  readonly name: string;
  readonly description: string;
  /** Null: it takes no value. */
  readonly values: Values | null;
  readonly repeatable: boolean;
}

/** A command. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly CompletedFlag[];
  /** Of its argument; null: it takes none. */
  readonly argument: Values | null;
}

/** What a command line may consist of. */
export interface CompletedProgram {
  readonly name: string;
  readonly commands: readonly CompletedCommand[];
}

/** Words that may stand in place of a command. */
export const INSTEAD_OF_COMMAND = ['help', '--help', '--version'];

/** The program as its commands' manifest describes it; what is hidden in help is left out. */
export function completedProgram(config: Interfaces.Config): CompletedProgram {
  const commands = config.commands
    .filter(({ hidden }) => hidden !== true)
    .map((command) => ({
      name: command.id,
      summary: firstLine(command.summary ?? command.description ?? ''),
      flags: [
        ...Object.values(command.flags).flatMap(completedFlag),
        { name: 'help', description: 'show what the command does', values: null, repeatable: false },
      ].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      argument: argumentOf(Object.values(command.args)),
    }));
  return { name: config.bin, commands: commands.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
}

function completedFlag(flag: Command.Flag.Cached): readonly CompletedFlag[] {
  if (flag.hidden === true) return [];
  const names = [flag.name, ...(flag.aliases ?? []), ...(allowsNo(flag) ? [`no-${flag.name}`] : [])];
  const values = flag.type === 'boolean' ? null : valuesOf(flag.options, flag.helpValue ?? '');
  const repeatable = flag.type === 'option' && flag.multiple === true;
  const description = firstLine(flag.summary ?? flag.description ?? '');
  return names.map((name) => ({ name, description, values, repeatable }));
}

const allowsNo = (flag: Command.Flag.Cached): boolean => flag.type === 'boolean' && flag.allowNo === true;

/** No command takes two. */
function argumentOf([argument]: readonly Command.Arg.Cached[]): Values | null {
  return argument === undefined ? null : valuesOf(argument.options, argument.name.toUpperCase());
}

function valuesOf(options: readonly string[] | undefined, helpValue: string | readonly string[]): Values {
  if (options !== undefined) return { kind: 'words', words: options };
  switch (pathKind(helpValue)) {
    case 'file':
      return { kind: 'files' };
    case 'directory':
      return { kind: 'directories' };
    default:
      return { kind: 'anything' };
  }
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';
