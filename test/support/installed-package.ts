import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What a program ended with. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A directory of a user's own, in which the package that `npm pack` makes is installed. */
export interface InstalledPackage {
  /** The user's directory. */
  readonly directory: string;
  /** Where the package is. */
  readonly root: string;
  /** Variables of the user's own; none of those that say where a database is come from elsewhere. */
  readonly environment: Record<string, string>;
  /** The package's files, sorted. */
  readonly files: readonly string[];
  /** Runs the program of the package in the user's directory. */
  trueup(...argv: readonly string[]): Ended;
  /** Runs Node there. */
  node(...argv: readonly string[]): Ended;
  /** Runs the TypeScript compiler there. */
  tsc(...argv: readonly string[]): Ended;
  remove(): void;
}

/**
 * Packs what is built and unpacks it elsewhere, beside links to its declared dependencies and no others: so a dependency
 * that is not declared is missing, and no registry is asked.
 * @param types packages that a TypeScript program of the user has besides
 */
export function installPackage(types: readonly string[] = []): InstalledPackage {
  const directory = mkdtempSync(join(tmpdir(), 'trueup-installed-'));
  const modules = join(directory, 'node_modules');
  const root = join(modules, 'trueup');
  mkdirSync(root, { recursive: true });
  // Without its scripts: building again would take dist away from tests that run beside this one.
  const pack = ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', directory];
  const described = JSON.parse(execFileSync('npm', pack, { cwd: ROOT, encoding: 'utf8' })) as unknown;
  const [packed] = Object.values(described as Record<string, { filename: string; files: { path: string }[] }>);
  if (packed === undefined) throw new Error('npm pack made nothing');
  execFileSync('tar', ['-xzf', join(directory, packed.filename), '-C', root, '--strip-components=1']);
  rmSync(join(directory, packed.filename));
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of [...Object.keys(dependencies), ...types]) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  const environment: Record<string, string> = {};
  const node = (...argv: readonly string[]): Ended => {
    const inherited = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(?:PG|TRUEUP_|DATABASE_URL|NODE_)/u.test(name)),
    );
    const env = { ...inherited, NO_COLOR: '1', ...environment };
    const options = { cwd: directory, encoding: 'utf8', env, timeout: 100_000 } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, argv, options);
    return { status, stdout, stderr };
  };
  return {
    directory,
    root,
    environment,
    files: packed.files.map(({ path }) => path).sort(),
    trueup: (...argv) => node(join(root, 'bin', 'run.js'), ...argv),
    node,
    tsc: (...argv) => node(join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), ...argv),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
