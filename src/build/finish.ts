// What follows tsc in `npm run build`, from dist/build, which is not kept. The bundle holds what the steps before it have
// written.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { copyAssets } from './assets.js';
import { writeBundle } from './bundle.js';
import { writeManifest } from './manifest.js';
import { writeShippedFiles } from './shipped-files.js';
import { writeValidators } from './validators.js';

const dist = new URL('../', import.meta.url);
await copyAssets(dist);
await writeValidators(dist);
await writeManifest(dist);
await writeShippedFiles(dist);
await writeBundle(dist);
const warm = fileURLToPath(new URL('warm.js', import.meta.url));
const { status } = spawnSync(process.execPath, [warm], { stdio: ['ignore', 'ignore', 'inherit'] });
process.exitCode = status ?? 1;
