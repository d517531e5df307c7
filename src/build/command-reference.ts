import { Help } from '@oclif/core/help';
import { loadConfig } from '../start/load-config.js';

const HEAD = `# Reference: commands

What \`trueup COMMAND --help\` prints, written down by \`npm run docs\`. How the commands are used, and what their output means, is
told in [commands.md](commands.md). Each flag can also be given as a variable: \`TRUEUP_LOCK_WAIT=1min\` is
\`--lock-wait 1min\`.
`;

/** docs/command-reference.md: the help of every command. */
export async function commandReference(
  importMetaUrl: string,
  options: { readonly development: boolean },
): Promise<string> {
  const config = await loadConfig(importMetaUrl, options);
  const help = new CommandHelp(config, { maxWidth: 100, stripAnsi: true, respectNoCacheDefault: true });
  const commands = config.commands
    .filter(({ hidden }) => hidden !== true)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map((command) => `## ${command.id}\n\n\`\`\`text\n${help.textOf(command)}\n\`\`\`\n`);
  return [HEAD, ...commands].join('\n');
}

/** oclif's help, as a text instead of on standard output. */
class CommandHelp extends Help {
  textOf(command: Parameters<Help['formatCommand']>[0]): string {
    return this.formatCommand(command)
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n')
      .trim();
  }
}
