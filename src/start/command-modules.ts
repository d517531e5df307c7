import type { Command } from '@oclif/core/command';

type Load = () => Promise<{ readonly default: Command.Class }>;

/**
 * The module of each command, which is loaded when the command runs. Written out, since the bundle of the build holds what
 * it can see to be imported.
 */
export const COMMAND_MODULES: ReadonlyMap<string, Load> = new Map<string, Load>([
  ['apply', () => import('../commands/apply.js')],
  ['completion', () => import('../commands/completion.js')],
  ['demo', () => import('../commands/demo.js')],
  ['doctor', () => import('../commands/doctor.js')],
  ['explain', () => import('../commands/explain.js')],
  ['inspect', () => import('../commands/inspect.js')],
  ['plan', () => import('../commands/plan.js')],
  ['validate', () => import('../commands/validate.js')],
]);
