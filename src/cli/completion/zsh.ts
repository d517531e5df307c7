import type { CompletedCommand, CompletedFlag, CompletedProgram, Values } from './model.js';

/** A script for zsh: to be sourced after compinit, or to be kept as `_NAME` in a directory of fpath. */
export function zshCompletion({ name, commands }: CompletedProgram): string {
  return `#compdef ${name}
# Completion of ${name} for zsh: source <(${name} completion zsh)
_${name}() {
  local -a commands
  commands=(
${commands.map((command) => `    ${quoted(`${command.name.replaceAll(':', '\\:')}:${command.summary}`)}`).join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe -t commands command commands
    _arguments '--help[show what there is]' '--version[show the version]'
    return
  fi
  local command=$words[2]
  # The command's own line: its name, and what follows.
  shift words
  ((CURRENT--))
  case $command in
    help)
      if ((CURRENT == 2)); then _describe -t commands command commands; fi
      ;;
${commands.map(commandCase).join('\n')}
  esac
}
if [[ $funcstack[1] == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

function commandCase({ name, flags, argument }: CompletedCommand): string {
  const specifications = [...flags.map(flagOf), ...(argument === null ? [] : [`1:argument:${actionOf(argument)}`])];
  return [
    `    ${name})`,
    `      _arguments -S \\`,
    specifications.map((specification) => `        ${quoted(specification)}`).join(' \\\n'),
    '      ;;',
  ].join('\n');
}

function flagOf({ name, description, values, repeatable }: CompletedFlag): string {
  const text = `[${description.replaceAll(/[[\]\\:]/gu, '\\$&')}]`;
  const flag = `${repeatable ? '*' : ''}--${name}`;
  return values === null ? `${flag}${text}` : `${flag}=${text}:value:${actionOf(values)}`;
}

function actionOf(values: Values): string {
  switch (values.kind) {
    case 'words':
      return `(${values.words.join(' ')})`;
    case 'files':
      return '_files';
    case 'directories':
      return '_files -/';
    case 'anything':
      return ' ';
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
