import { setFlagsFromString } from 'node:v8';

/** V8's flags are no contract: later versions of Node know this one no more, and optimise in other steps. */
const KNOWN_TO_NODE = 20;

/**
 * How much of a function's bytecode V8 runs before it thinks of optimising it, in bytes. A command ends before it has made up for
 * the half second that V8's threads optimise, on cores that the server has a use for: an apply to a thousand tenants takes
 * 1.5 s of processor time instead of 2.2 s. What runs for longer is optimised all the same.
 */
const LATE = 3_000_000;
const USUAL = 67_584;

/** Has V8 optimise the program's functions late, in the whole process. */
export const optimiseLate = (): void => optimiseAfter(LATE);

/** Ends {@link optimiseLate}. */
export const optimiseAsUsual = (): void => optimiseAfter(USUAL);

function optimiseAfter(bytes: number): void {
  if (Number.parseInt(process.versions.node, 10) === KNOWN_TO_NODE) setFlagsFromString(`--interrupt-budget=${bytes}`);
}
