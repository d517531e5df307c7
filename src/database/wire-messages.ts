import { serialize } from 'pg-protocol';

/** For the unnamed statement, to the unnamed portal: no parameters, results as text, no limit. */
const RUN = Buffer.concat([serialize.bind(), serialize.describe({ type: 'P' }), serialize.execute()]);
/** The same without what its rows consist of. */
const RUN_WITHOUT_ROWS = Buffer.concat([serialize.bind(), serialize.execute()]);

/** Messages of the last script, by statement: the next one's begins, ends and sets its limits in the same words. */
let last: ReadonlyMap<string, Buffer> = new Map();

/**
 * The messages that run some statements without parameters one after the other, with one Sync behind them all, as one buffer.
 * @param wantsRows whether anything is to be made of the rows that they give
 */
export function pipelined(statements: readonly string[], wantsRows: boolean): Buffer {
  const run = wantsRows ? RUN : RUN_WITHOUT_ROWS;
  const parses = statements.map((text) => [text, last.get(text) ?? serialize.parse({ text, types: [] })] as const);
  last = new Map(parses);
  return Buffer.concat([...parses.flatMap(([, parse]) => [parse, run]), serialize.sync()]);
}
