import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';
import { pg_textsearch } from '@electric-sql/pglite-pg_textsearch';
import { vector } from '@electric-sql/pglite-pgvector';

const EXTENSIONS = { vector, pg_trgm, pg_textsearch };
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/trueup/', import.meta.url));

let snapshot: Promise<Blob> | null = null;

/**
 * A fresh embedded PostgreSQL in memory, with vector, pg_trgm and pg_textsearch in public; `created: false` leaves them
 * available but not created. Close it after use.
 */
export async function createEmbedded(options: { readonly created?: boolean } = {}): Promise<PGlite> {
  if (options.created === false) return PGlite.create({ extensions: EXTENSIONS });
  snapshot ??= loadSnapshot();
  return PGlite.create({ extensions: EXTENSIONS, loadDataDir: await snapshot });
}

/** The data directory with the extensions created, from an earlier run where there was one: to init costs seconds. */
async function loadSnapshot(): Promise<Blob> {
  const file = join(CACHE, `${await snapshotKey()}.tar`);
  if (existsSync(file)) return new Blob([await readFile(file)]);
  const database = await PGlite.create({ extensions: EXTENSIONS });
  for (const name of Object.keys(EXTENSIONS)) await database.exec(`CREATE EXTENSION ${name} SCHEMA public`);
  const dump = await database.dumpDataDir('none');
  await database.close();
  await mkdir(dirname(file), { recursive: true });
  // Renamed into place, so that another worker never reads half a file.
  const partial = `${file}.${process.pid}`;
  await writeFile(partial, Buffer.from(await dump.arrayBuffer()));
  await rename(partial, file);
  return dump;
}

/** The versions that a data directory depends on. */
async function snapshotKey(): Promise<string> {
  const versions = ['pglite', 'pglite-pgvector', 'pglite-pg_textsearch'].map(async (name) => {
    const file = new URL(`../../node_modules/@electric-sql/${name}/package.json`, import.meta.url);
    const { version } = JSON.parse(await readFile(file, 'utf8')) as { version: string };
    return `${name}-${version}`;
  });
  return (await Promise.all(versions)).join('_');
}
