import { expect, it } from 'vitest';
import { Gate } from '../../src/apply/gate.js';

/** Work that says when it runs, and ends when it is told. */
function work(name: string, log: string[]) {
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const run = async () => {
    log.push(name);
    await ended;
  };
  return { run, end };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

it('two transactions are under way at once, a third waits', async () => {
  const gate = new Gate();
  const log: string[] = [];
  const [first, second, third] = ['first', 'second', 'third'].map((name) => work(name, log));
  const all = [first, second, third].map((one) => gate.inLine(one?.run ?? (async () => {})));
  await settled();
  expect(log).toEqual(['first', 'second']);
  second?.end();
  await settled();
  expect(log).toEqual(['first', 'second', 'third']);
  first?.end();
  third?.end();
  await Promise.all(all);
});

it('what needs the session for itself waits for all that is under way, and nothing passes it', async () => {
  const gate = new Gate();
  const log: string[] = [];
  const [before, alone, also, after] = ['before', 'alone', 'also', 'after'].map((name) => work(name, log));
  const none = async () => {};
  const all = [
    gate.inLine(before?.run ?? none),
    gate.alone(alone?.run ?? none),
    gate.alone(also?.run ?? none),
    gate.inLine(after?.run ?? none),
  ];
  await settled();
  expect(log).toEqual(['before']);
  before?.end();
  await settled();
  expect(log).toEqual(['before', 'alone']);
  alone?.end();
  await settled();
  expect(log).toEqual(['before', 'alone', 'also']);
  also?.end();
  await settled();
  expect(log).toEqual(['before', 'alone', 'also', 'after']);
  after?.end();
  await Promise.all(all);
});

it('gives its places back when work fails', async () => {
  const gate = new Gate();
  const failing = async () => {
    throw new Error('no');
  };
  await expect(gate.alone(failing)).rejects.toThrow('no');
  for (let time = 0; time < 3; time += 1) await expect(gate.inLine(failing)).rejects.toThrow('no');
  expect(await gate.alone(async () => 'yes')).toBe('yes');
});
