import { setFlagsFromString } from 'node:v8';

/** V8's flags are no contract: a Node that does not know one says so on standard error, at every start. */
const KNOWN_TO_NODE = { from: 20, to: 26 };
const FLAGS = ['wasm-tier-up', 'wasm-dynamic-tiering'];

let left = false;

/**
 * Keeps V8 from optimising WebAssembly, in the whole process. What a command runs of it is the SQL parser, for some
 * milliseconds; optimising its largest functions takes a thread half a second, for which the process waits when it ends.
 */
export function leaveUnoptimised(): void {
  const major = Number.parseInt(process.versions.node, 10);
  if (left || major < KNOWN_TO_NODE.from || major > KNOWN_TO_NODE.to) return;
  left = true;
  for (const flag of FLAGS) setFlagsFromString(`--no-${flag}`);
}

/** Ends {@link leaveUnoptimised}: for WebAssembly that runs for long, the embedded PostgreSQL. */
export function optimiseAgain(): void {
  if (!left) return;
  left = false;
  for (const flag of FLAGS) setFlagsFromString(`--${flag}`);
}
