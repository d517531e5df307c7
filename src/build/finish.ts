// What follows tsc in `npm run build`, from dist/build, which is not kept: dist works without the manifest and the
// validators, and starts more slowly; not without the assets.
import { copyAssets } from './assets.js';
import { writeManifest } from './manifest.js';
import { writeValidators } from './validators.js';

const dist = new URL('../', import.meta.url);
await copyAssets(dist);
await writeValidators(dist);
await writeManifest(dist);
