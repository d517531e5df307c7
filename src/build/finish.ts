// What follows tsc in `npm run build`, from dist/build, which is not kept: dist works without it, and starts more slowly.
import { writeManifest } from './manifest.js';
import { writeValidators } from './validators.js';

const dist = new URL('../', import.meta.url);
await writeValidators(dist);
await writeManifest(dist);
