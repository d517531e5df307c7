import { groupBy } from '../../collections.js';
import { type CompletedCommand, type CompletedProgram, INSTEAD_OF_COMMAND, type Values } from './model.js';

/** A script for bash, 3.2 or newer, that needs no other one: not the package bash-completion either. */
export function bashCompletion({ name, commands }: CompletedProgram): string {
  const first = [...commands.map((command) => command.name), ...INSTEAD_OF_COMMAND];
  return `# Completion of ${name} for bash: source <(${name} completion bash)
_${name}() {
  local IFS=$'\\n' cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  # bash takes the = of --flag=value for a word of its own.
  if [[ $cur == '=' ]]; then
    cur=''
  elif [[ $prev == '=' ]]; then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if ((COMP_CWORD == 1)); then
    ${words(first)}
    return
  fi
  case "\${COMP_WORDS[1]}" in
    help)
      if ((COMP_CWORD == 2)); then ${words(commands.map((command) => command.name))}; fi
      ;;
${commands.map(commandCase).join('\n')}
  esac
}
complete -F _${name} ${name}
`;
}

function commandCase({ name, flags, argument }: CompletedCommand): string {
  const taking = flags.flatMap((flag) => (flag.values === null ? [] : [{ name: flag.name, values: flag.values }]));
  const groups = groupBy(taking, ({ values }) => completed(values));
  const cases = [...groups].map(
    ([action, group]) => `        ${group.map((flag) => `--${flag.name}`).join(' | ')})
          ${action}
          return
          ;;`,
  );
  const asked = cases.length === 0 ? [] : [`      [[ $cur == -* ]] || case "$prev" in`, ...cases, '      esac'];
  const argumentAction = argument === null ? ':' : completed(argument);
  return [
    `    ${name})`,
    ...asked,
    `      if [[ $cur == -* ]]; then ${words(flags.map((flag) => `--${flag.name}`))}; else ${argumentAction}; fi`,
    '      ;;',
  ].join('\n');
}

function completed(values: Values): string {
  switch (values.kind) {
    case 'words':
      return words(values.words);
    case 'files':
      return `compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur"))`;
    case 'directories':
      return `compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur"))`;
    case 'anything':
      return ':';
  }
}

const words = (all: readonly string[]): string => `COMPREPLY=($(compgen -W $'${all.join('\\n')}' -- "$cur"))`;
