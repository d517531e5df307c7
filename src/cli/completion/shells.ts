import { bashCompletion } from './bash.js';
import { fishCompletion } from './fish.js';
import type { CompletedProgram } from './model.js';
import { zshCompletion } from './zsh.js';

/** Shells that command lines can be completed in. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** One of {@link SHELLS}. */
export type Shell = (typeof SHELLS)[number];

/** The script that makes a shell complete the program's command lines, without calling it. */
export function completionScript(shell: Shell, program: CompletedProgram): string {
  return { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion }[shell](program);
}
