// Runs the bundled program once, to leave beside it what V8 has compiled of it by then.
import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { optimiseAsUsual } from '../optimise-late.js';
import { CODE_CACHE, loadProgram } from '../start/launch.js';
import { leaveUnoptimised, optimiseAgain } from '../webassembly-tiers.js';

const { program, script } = loadProgram();
const directory = mkdtempSync(join(tmpdir(), 'trueup-warm-'));
cpSync(fileURLToPath(new URL('../../desired-state', import.meta.url)), directory, { recursive: true });
// Of the files as they are shipped nothing would be parsed; this one is, as an operator's own would be.
appendFileSync(join(directory, 'base.yaml'), '\n');
// TRUEUP_BACKEND and the like, of whoever builds, would change what runs, or make it fail.
for (const name of Object.keys(process.env)) delete process.env[name];
process.argv.splice(2, Infinity, 'validate', '--desired-state', directory);
process.on('exit', () => {
  rmSync(directory, { recursive: true });
  // V8 refuses what was compiled under other flags than it finds at the next start, before the program has set any.
  leaveUnoptimised();
  optimiseAgain();
  optimiseAsUsual();
  writeFileSync(CODE_CACHE, script.createCachedData());
});
await program.start(new URL('../../bin/run.js', import.meta.url).href);
