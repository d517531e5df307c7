import { existsSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { givenServer, startFleetServer } from './fleet-server.js';
import { type BenchOptions, benchOptions, USAGE } from './options.js';
import { runBench } from './run-bench.js';
import { benchTables } from './tables.js';
import { updateDocs } from './update-docs.js';

/** `npm run bench`: measures trueup on a large fleet, beside what it replaces and beside what cannot be beaten. */

const DOCS = fileURLToPath(new URL('../../docs/performance.md', import.meta.url));

const options = askedFor(process.argv.slice(2));
if (options.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
if (!existsSync(new URL('../../dist/index.js', import.meta.url))) throw new Error('nothing is built: npm run build');
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const server =
  options.databaseUrl === null ? await startFleetServer(options.size, options.keep) : givenServer(options.databaseUrl);
try {
  const document = await runBench(server, { ...options, say });
  const tables = benchTables(document);
  process.stdout.write(`${tables}\n`);
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(document, null, 2)}\n`);
  if (options.updateDocs) updateDocs(DOCS, options.size.tenants, tables);
} finally {
  await server.stop();
}

function askedFor(args: readonly string[]): BenchOptions {
  try {
    return benchOptions(args);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    process.stderr.write(`${error.message}\n\n${USAGE}`);
    process.exit(1);
  }
}
