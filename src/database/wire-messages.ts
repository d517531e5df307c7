import { serialize } from 'pg-protocol';

/** For the unnamed statement, to the unnamed portal: no parameters, results as text, no limit. */
const RUN = Buffer.concat([serialize.bind(), serialize.describe({ type: 'P' }), serialize.execute()]);

/** The messages that run some statements without parameters one after the other, with one Sync behind them all, as one buffer. */
export const pipelined = (statements: readonly string[]): Buffer =>
  Buffer.concat([...statements.flatMap((text) => [serialize.parse({ text, types: [] }), RUN]), serialize.sync()]);
