import type { CompletedCommand, CompletedFlag, CompletedProgram, Values } from './model.js';

/** A script for fish, 3.0 or newer. */
export function fishCompletion({ name, commands }: CompletedProgram): string {
  const line = (condition: string, ...words: readonly string[]): string =>
    ['complete', '-c', name, '-n', quoted(condition), ...words].join(' ');
  const offered = commands.flatMap((command) => [
    line('__fish_use_subcommand', '-a', quoted(command.name), '-d', quoted(command.summary)),
    line('__fish_seen_subcommand_from help', '-a', quoted(command.name), '-d', quoted(command.summary)),
  ]);
  return [
    `# Completion of ${name} for fish: ${name} completion fish | source`,
    `complete -c ${name} -f`,
    line('__fish_use_subcommand', '-l', 'help', '-d', quoted('show what there is')),
    line('__fish_use_subcommand', '-l', 'version', '-d', quoted('show the version')),
    ...offered,
    ...commands.flatMap((command) => commandLines(command, line)),
    '',
  ].join('\n');
}

function commandLines(
  { name, flags, argument }: CompletedCommand,
  line: (condition: string, ...words: readonly string[]) => string,
): readonly string[] {
  const here = `__fish_seen_subcommand_from ${name}`;
  const flagLine = (flag: CompletedFlag): string =>
    line(here, '-l', flag.name, ...(flag.values === null ? [] : valuesOf(flag.values)), '-d', quoted(flag.description));
  const ofArgument = argument === null ? [] : argument.kind === 'files' ? ['-F'] : valuesOf(argument).slice(1);
  return [...flags.map(flagLine), ...(ofArgument.length === 0 ? [] : [line(here, ...ofArgument)])];
}

function valuesOf(values: Values): readonly string[] {
  switch (values.kind) {
    case 'words':
      return ['-x', '-a', quoted(values.words.join(' '))];
    case 'files':
      return ['-r', '-F'];
    case 'directories':
      return ['-x', '-a', quoted('(__fish_complete_directories)')];
    case 'anything':
      return ['-x'];
  }
}

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
