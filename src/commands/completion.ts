import * as Args from '@oclif/core/args';
import { BaseCommand } from '../cli/base-command.js';
import { completedProgram } from '../cli/completion/model.js';
import { completionScript, SHELLS } from '../cli/completion/shells.js';
import { EXIT_CODES } from '../cli/exit-codes.js';
import { FORMAT_VERSION } from '../format-version.js';

/** `trueup completion`: prints the script by which a shell completes command lines. */
export default class Completion extends BaseCommand<typeof Completion> {
  static override readonly summary = 'Print a script that completes command lines in a shell.';
  static override readonly description =
    `The script knows commands, flags, and those values that are a closed list, a file or a directory. It calls nothing while you type; after an upgrade a new shell reads the new one.

In ~/.bashrc, ~/.zshrc (after compinit) or ~/.config/fish/config.fish, write the line of the examples.

EXIT CODES
  0  the script is printed
  1  an error: no such shell`;
  static override readonly examples = [
    'source <(<%= config.bin %> completion bash)',
    'source <(<%= config.bin %> completion zsh)',
    '<%= config.bin %> completion fish | source',
  ];
  static override readonly args = {
    shell: Args.string({ description: 'the shell', options: [...SHELLS], required: true }),
  };

  protected override async execute(): Promise<number> {
    const shell = SHELLS.find((one) => one === this.args.shell) ?? 'bash';
    const script = completionScript(shell, completedProgram(this.config));
    if (this.jsonRequested) this.printJson({ formatVersion: FORMAT_VERSION, shell, script });
    else this.print(script.trimEnd());
    return EXIT_CODES.success;
  }
}
