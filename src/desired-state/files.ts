import { readdirSync } from 'node:fs';
import { isAbsolute, join, normalize, relative, resolve } from 'node:path';
import { shown } from '../did-you-mean.js';
import { TrueupError } from '../trueup-error.js';
import type { BackendFiles, TablesFile } from './backends.js';
import { checkOwnership } from './check-ownership.js';
import type { FleetDocument, PhaseDocument } from './documents.js';
import { parseYaml } from './parse-yaml.js';
import type { Problems } from './problems.js';
import { readFileText } from './read-file.js';
import { shippedFile } from './shipped-files.js';
import { asFleet, asTables } from './validate-document.js';
import { type Place, valueAt, within, type YamlFile } from './yaml-file.js';

/** Everything that was read of one directory: what the schema accepted, before any value is filled in. */
export interface DesiredStateFiles {
  /** Absolute. */
  readonly directory: string;
  readonly fleet: FleetDocument;
  readonly fleetFile: YamlFile;
  /** The phases that have one file, by phase. */
  readonly fixed: ReadonlyMap<string, TablesFile>;
  /** The phases that have backends, by phase. */
  readonly backends: ReadonlyMap<string, BackendFiles>;
}

/**
 * Reads fleet.yaml and every file of every phase, chosen or not. Null when fleet.yaml itself cannot be used.
 * @throws {TrueupError} DESIRED_STATE_MISSING when there is no fleet.yaml.
 */
export function readFiles(directory: string, problems: Problems): DesiredStateFiles | null {
  const root = resolve(directory);
  const fleetPath = join(root, 'fleet.yaml');
  const read = readFileText(fleetPath);
  if (!read.ok && read.missing) {
    throw new TrueupError('DESIRED_STATE_MISSING', 'there is no fleet.yaml, so no desired state', {
      where: displayName(fleetPath),
      remedy:
        'name its directory with --desired-state DIR, or write one from a tenant with `trueup inspect --schema NAME --out DIR`',
    });
  }
  const fleetFile = readYaml(fleetPath, problems);
  const fleet = fleetFile === null ? null : asFleet(fleetFile, problems);
  if (fleetFile === null || fleet === null) return null;
  const fixed = new Map<string, TablesFile>();
  const backends = new Map<string, BackendFiles>();
  for (const [index, phase] of fleet.phases.entries()) {
    const place: Place = { file: fleetFile, path: ['phases', index] };
    if ((phase.file === undefined) === (phase.backends === undefined)) {
      problems.invalid(
        `phase ${phase.name} has either one file or a folder of backends`,
        valueAt(place),
        'give one of file and backends',
      );
    } else if (phase.file !== undefined) {
      const file = readFixed(root, phase.file, within(place, 'file'), problems);
      if (file !== null) fixed.set(phase.name, file);
    } else {
      backends.set(phase.name, readBackends(root, phase, place, problems));
    }
  }
  const files = { directory: root, fleet, fleetFile, fixed, backends };
  if (!problems.any) checkOwnership(files, problems);
  return files;
}

function readFixed(root: string, name: string, place: Place, problems: Problems): TablesFile | null {
  if (escapes(name, place, problems)) return null;
  const file = readYaml(join(root, name), problems, place);
  const document = file === null ? null : asTables(file, problems);
  if (file === null || document === null) return null;
  for (const key of ['backend', 'limits', 'alternatives'] as const) {
    if (document[key] === undefined) continue;
    problems.invalid(`${key} is for the files of backends`, file.position([key], 'key'), 'remove it');
  }
  return { file, document };
}

function readBackends(root: string, phase: PhaseDocument, place: Place, problems: Problems): BackendFiles {
  const refused = new Set<string>();
  const files = Object.assign(new Map<string, TablesFile>(), { refused });
  const folder = phase.backends ?? '';
  const at = within(place, 'backends');
  if (escapes(folder, at, problems)) return files;
  const names = list(join(root, folder));
  if (names === null) {
    problems.invalid(
      `the folder ${shown(folder)} of phase ${phase.name} cannot be read`,
      valueAt(at),
      'create it, or correct the name',
    );
    return files;
  }
  if (names.length === 0)
    problems.invalid(`the folder ${shown(folder)} holds no .yaml file`, valueAt(at), 'add a backend to it');
  if (phase.select === undefined) {
    problems.invalid(
      `phase ${phase.name} does not say which backend it runs`,
      valueAt(place),
      'add select with a default',
    );
  }
  for (const name of names) {
    const stem = name.slice(0, -'.yaml'.length);
    const file = readYaml(join(root, folder, name), problems, at);
    const document = file === null ? null : asTables(file, problems);
    if (file === null || document === null) {
      refused.add(stem);
      continue;
    }
    if (document.backend !== stem) {
      const message =
        document.backend === undefined
          ? '"backend" is missing'
          : `the backend ${shown(document.backend)} stands in a file of another name`;
      problems.invalid(message, file.position(['backend']), `write \`backend: ${stem}\`, or rename the file`);
    }
    files.set(stem, { file, document });
  }
  return files;
}

function readYaml(path: string, problems: Problems, from?: Place): YamlFile | null {
  const name = displayName(path);
  const read = readFileText(path);
  if (read.ok) return shippedFile(name, read.text) ?? parseYaml(name, read.text, problems);
  const where = read.missing && from !== undefined ? valueAt(from) : { file: name, line: 1, column: 1 };
  problems.invalid(`${name} ${read.message}`, where, read.remedy);
  return null;
}

function list(folder: string): readonly string[] | null {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.yaml') && !name.startsWith('.'))
      .sort();
  } catch {
    return null;
  }
}

/** A desired state is one directory: a path out of it would read files that no one approved. */
function escapes(name: string, place: Place, problems: Problems): boolean {
  const path = normalize(name);
  if (!isAbsolute(path) && path.split(/[\\/]/u)[0] !== '..') return false;
  problems.invalid(`${shown(name)} leads out of the directory`, valueAt(place), 'name a file inside it');
  return true;
}

/** A path as errors show it: relative to where the command runs, when it is inside. */
function displayName(path: string): string {
  const here = relative(process.cwd(), path);
  return here === '' || here.startsWith('..') || isAbsolute(here) ? path : here;
}
