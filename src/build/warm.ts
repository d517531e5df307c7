// Runs the bundled program once, to leave beside it what V8 has compiled of it by then.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CODE_CACHE, loadProgram } from '../cli/launch.js';
import { leaveUnoptimised, optimiseAgain } from '../webassembly-tiers.js';

const { program, script } = loadProgram();
const directory = fileURLToPath(new URL('../../desired-state', import.meta.url));
// TRUEUP_BACKEND and the like, of whoever builds, would change what runs, or make it fail.
for (const name of Object.keys(process.env)) delete process.env[name];
process.argv.splice(2, Infinity, 'validate', '--desired-state', directory);
process.on('exit', () => {
  // V8 refuses what was compiled under other flags than it finds at the next start, before the program has set any.
  leaveUnoptimised();
  optimiseAgain();
  writeFileSync(CODE_CACHE, script.createCachedData());
});
await program.start(new URL('../../bin/run.js', import.meta.url).href);
