/** A message: its letter, the length of what follows (that of the length included), its body. */
function message(letter: string, body: Buffer): Buffer {
  const head = Buffer.alloc(HEAD);
  head.write(letter, 'latin1');
  head.writeInt32BE(LENGTH + body.length, 1);
  return Buffer.concat([head, body]);
}

const LENGTH = 4;
const HEAD = 1 + LENGTH;

/** Of the unnamed statement, to the unnamed portal: no parameters, results as text. */
const BIND = message('B', Buffer.from([0, 0, 0, 0, 0, 0, 0, 0]));

/** What its rows consist of. */
const DESCRIBE = message('D', Buffer.from('P\0', 'latin1'));

/** Without a limit. */
const EXECUTE = message('E', Buffer.from([0, 0, 0, 0, 0]));

const RUN = Buffer.concat([BIND, DESCRIBE, EXECUTE]);
const RUN_WITHOUT_ROWS = Buffer.concat([BIND, EXECUTE]);

const SYNC = message('S', Buffer.alloc(0));

/** What Parse of the unnamed statement has beside its text: head, the empty name, the text's end, and that no types are given. */
const PARSE = HEAD + 1 + 1 + 2;

/**
 * The messages that run some statements without parameters one after the other, with one Sync behind them all. The manual:
 * "Frontend/Backend Protocol", Message Formats.
 * @param wantsRows whether anything is to be made of the rows that they give
 */
export function pipelined(statements: readonly string[], wantsRows: boolean): Buffer {
  const run = wantsRows ? RUN : RUN_WITHOUT_ROWS;
  const texts = statements.map((text) => Buffer.byteLength(text));
  const size = texts.reduce((sum, length) => sum + PARSE + length + run.length, SYNC.length);
  const buffer = Buffer.alloc(size);
  let at = 0;
  for (const [of, text] of statements.entries()) {
    const length = texts[of] ?? 0;
    buffer.write('P', at, 'latin1');
    buffer.writeInt32BE(PARSE - 1 + length, at + 1);
    buffer.write(text, at + HEAD + 1, 'utf8');
    at += PARSE + length;
    at += run.copy(buffer, at);
  }
  SYNC.copy(buffer, at);
  return buffer;
}
