import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from '@oclif/core/command';
// Of oclif only what is needed, wherever it is imported: its index takes half as long again to load.
import { Config, Plugin } from '@oclif/core/config';
import type * as Interfaces from '@oclif/core/interfaces';
import { settings } from '@oclif/core/settings';
import { COMMAND_MODULES } from './command-modules.js';

/** Words beside `--help` that ask for help. */
export const SHORT_HELP = ['-h'];

/** How the commands are found. */
export interface CommandsOptions {
  /** In src, where the runtime can read TypeScript. */
  readonly development?: boolean;
  /** Import them all, whatever the manifest that the build has written says of them. */
  readonly ignoreManifest?: boolean;
}

/** The configuration that runs the commands of the package in whose bin directory the file of this URL is. */
export async function loadConfig(importMetaUrl: string, options: CommandsOptions): Promise<Config> {
  const plugin = await loadCommands(importMetaUrl, options);
  return Config.load({ root: rootOf(importMetaUrl), pjson: plugin.pjson, plugins: new Map([[plugin.name, plugin]]) });
}

/**
 * What oclif knows of the package's commands. In development each is imported to ask it; else the manifest beside them
 * answers, where there is one.
 */
export async function loadCommands(importMetaUrl: string, options: CommandsOptions): Promise<Plugin> {
  const root = rootOf(importMetaUrl);
  const development = options.development === true;
  const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Interfaces.PJSON;
  // oclif's own way needs the JavaScript API of the TypeScript compiler, and depends on NODE_ENV.
  settings.enableAutoTranspile = false;
  const oclif = { ...pjson.oclif, commands: './commands', additionalHelpFlags: SHORT_HELP };
  const plugin = new Commands({
    root: join(root, development ? 'src' : 'dist'),
    name: pjson.name,
    isRoot: true,
    pjson: { ...pjson, oclif },
    ignoreManifest: development || options.ignoreManifest === true,
    // A command that cannot be loaded would otherwise be "unknown".
    errorOnManifestCreate: true,
  });
  await plugin.load();
  return plugin;
}

/** Commands by the program's own imports, which are in the bundle of the build; oclif would import their files. */
class Commands extends Plugin {
  override findCommand(id: string, options: { readonly must: true }): Promise<Command.Class>;
  override findCommand(id: string, options?: { readonly must: boolean }): Promise<Command.Class | undefined>;
  override async findCommand(
    id: string,
    options: { readonly must: boolean } = { must: false },
  ): Promise<Command.Class | undefined> {
    const load = COMMAND_MODULES.get(id);
    if (load === undefined) return super.findCommand(id, options);
    const { default: command } = await load();
    return Object.assign(command, { id, plugin: this });
  }
}

const rootOf = (importMetaUrl: string): string => dirname(dirname(fileURLToPath(importMetaUrl)));
