import { beforeEach, expect, it } from 'vitest';
import { Gate, type InLine } from '../../src/apply/gate.js';
import { DatabaseError, type Session, type TransactionsMade } from '../../src/database/session.js';

/** What the session was asked for, in order: each message's transactions by name, and whatever else was sent. */
let log: string[];
/** Answers the oldest message that is under way. */
let answers: ((made: TransactionsMade) => void)[];
let gate: Gate;

beforeEach(() => {
  log = [];
  answers = [];
  const session = {
    transactions: (scripts: readonly (readonly string[])[]) => {
      log.push(scripts.map(([, name]) => name).join('+'));
      return new Promise<TransactionsMade>((resolve) => answers.push(resolve));
    },
    query: async (sql: string) => void log.push(sql),
  } as unknown as Session;
  gate = new Gate(() => session);
});

/** Nothing here waits for anything but other work of this process. */
async function settled() {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const error = (code: string) => new DatabaseError('no', code);

/** Stands in line; tells what came of it. */
function inLine(name: string, of: Partial<Pick<InLine, 'isShort' | 'goesOn'>> = {}) {
  const explain = async () => {
    log.push(`explain ${name}`);
    return new Error(`${name} was refused`);
  };
  const transaction = { statements: [name], isShort: true, goesOn: () => true, explain, ...of };
  return gate.inLine(transaction).catch((thrown: Error) => thrown.message);
}

/** Who needs the session alone, until told that it has ended. */
function alone(name: string) {
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const done = gate.alone(async () => {
    log.push(name);
    await ended;
    return name;
  });
  return { done, end };
}

async function answer(made: number, failed: DatabaseError | null = null) {
  answers.shift()?.({ made, error: failed });
  await settled();
}

it('short transactions share a message, two messages are under way at once, and a third waits', async () => {
  const names = Array.from('abcdefghij');
  const all = names.map((name) => inLine(name));
  await settled();
  expect(log).toEqual(['a+b+c+d', 'e+f+g+h']);
  await answer(4);
  expect(log).toEqual(['a+b+c+d', 'e+f+g+h', 'i+j']);
  await answer(4);
  await answer(2);
  expect(await Promise.all(all)).toEqual(names.map(() => true));
});

it('one that may wait for several locks has a message of its own', async () => {
  const all = [inLine('a'), inLine('b', { isShort: false }), inLine('c'), inLine('d')];
  await settled();
  expect(log).toEqual(['a', 'b']);
  await answer(1);
  await answer(1);
  expect(log).toEqual(['a', 'b', 'c+d']);
  await answer(2);
  expect(await Promise.all(all)).toEqual([true, true, true, true]);
});

it('what needs the session for itself waits for all that is under way, and nothing passes it', async () => {
  const before = inLine('before');
  const [first, second] = [alone('first'), alone('second')];
  const after = inLine('after');
  await settled();
  expect(log).toEqual(['before']);
  await answer(1);
  expect(log).toEqual(['before', 'first']);
  first.end();
  await settled();
  expect(log).toEqual(['before', 'first', 'second']);
  second.end();
  await settled();
  expect(log).toEqual(['before', 'first', 'second', 'after']);
  await answer(1);
  expect(await Promise.all([before, first.done, second.done, after])).toEqual([true, 'first', 'second', true]);
});

it('whoever stood behind one that failed is sent again, once that is rolled back and explained, before all others', async () => {
  const all = Array.from('abcdefghi').map((name) => inLine(name));
  const other = alone('other');
  await settled();
  await answer(1, error('22012'));
  expect(log).toEqual(['a+b+c+d', 'e+f+g+h']);
  await answer(0, error('25P02'));
  expect(log.slice(2)).toEqual(['ROLLBACK', 'explain b', 'c+d+e+f', 'g+h+i']);
  await answer(4);
  await answer(3);
  expect(log.slice(6)).toEqual(['other']);
  other.end();
  expect(await Promise.all(all)).toEqual([true, 'b was refused', true, true, true, true, true, true, true]);
});

it('two messages that fail each for themselves are both explained', async () => {
  const all = Array.from('abcdefgh').map((name) => inLine(name));
  await settled();
  // Of a transaction that its COMMIT ended nothing is left open: the next message is begun.
  await answer(3, error('23503'));
  await answer(0, error('22012'));
  expect(log.slice(2)).toEqual(['ROLLBACK', 'explain d', 'explain e', 'f+g+h']);
  await answer(3);
  const [, , , d, e, f] = await Promise.all(all);
  expect([d, e, f]).toEqual(['d was refused', 'e was refused', true]);
});

it('a session that was in a failed transaction already fails one of them, and no more', async () => {
  const all = [inLine('a'), inLine('b')];
  await settled();
  await answer(0, error('25P02'));
  expect(log).toEqual(['a+b', 'ROLLBACK', 'explain a', 'b']);
  await answer(1);
  expect(await Promise.all(all)).toEqual(['a was refused', true]);
});

it('a message that the server could not parse is sent again by the piece: another’s statement may be the one', async () => {
  const all = Array.from('abc').map((name) => inLine(name));
  await settled();
  await answer(0, error('42601'));
  expect(log).toEqual(['a+b+c', 'ROLLBACK', 'a', 'b']);
  await answer(1);
  await answer(0, error('42601'));
  await answer(0, error('25P02'));
  expect(log.slice(4)).toEqual(['c', 'ROLLBACK', 'explain b', 'c']);
  await answer(1);
  expect(await Promise.all(all)).toEqual([true, 'b was refused', true]);
});

it('fails those that could not be sent', async () => {
  const broken = new Gate(
    () => ({ transactions: () => Promise.reject(new Error('a bug')), query: async () => {} }) as unknown as Session,
  );
  const explain = async (error: unknown) => error;
  const sent = broken.inLine({ statements: [], isShort: true, goesOn: () => true, explain });
  await expect(sent).rejects.toThrow('a bug');
});

it('of a lost connection none is explained or sent again that may have been made', async () => {
  const all = Array.from('abc').map((name) => inLine(name));
  await settled();
  await answer(1, error('08006'));
  expect(await Promise.all(all)).toEqual([true, 'no', 'no']);
  expect(log).toEqual(['a+b+c']);
});

it('one that is to be made no longer when its turn comes is not sent', async () => {
  let isOver = false;
  const goesOn = () => !isOver;
  const first = Array.from('abcdefgh').map((name) => inLine(name, { goesOn }));
  const late = [inLine('i', { goesOn }), inLine('j')];
  await settled();
  isOver = true;
  await answer(3, error('22012'));
  await answer(0, error('25P02'));
  // What was sent and not begun is asked again.
  expect(log.slice(2)).toEqual(['ROLLBACK', 'explain d', 'j']);
  await answer(1);
  expect(await Promise.all(first)).toEqual([true, true, true, 'd was refused', false, false, false, false]);
  expect(await Promise.all(late)).toEqual([false, true]);
});

it('gives the session back when work fails', async () => {
  const failing = async () => {
    throw new Error('no');
  };
  for (let time = 0; time < 3; time += 1) await expect(gate.alone(failing)).rejects.toThrow('no');
  const made = inLine('a');
  await settled();
  await answer(1);
  expect(await made).toBe(true);
});
