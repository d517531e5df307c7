import { beforeEach, expect, it } from 'vitest';
import { Crew } from '../../src/apply/crew.js';
import { CONNECTION_LOST } from '../../src/database/database-errors.js';
import { type Database, DatabaseError, type Session, type TransactionsMade } from '../../src/database/session.js';

/** A session that answers nothing until it is told to. */
interface FakeSession {
  readonly name: string;
  broken: boolean;
}

/** Whose readings were begun, in order. */
let begun: string[];
/** Ends what was begun: the oldest of a session's first. */
let ends: Map<string, { readonly well: () => void; readonly lost: () => void; readonly badly?: () => void }>;
beforeEach(() => {
  begun = [];
  ends = new Map();
});

/** A keeper, and workers that are called w0, w1 and so on. */
async function crewOf(connections: number): Promise<Crew> {
  const names = ['keeper', ...Array.from({ length: connections - 1 }, (_, at) => `w${at}`)];
  const database = {
    maxSessions: connections,
    spare: 0,
    connect: async () => ({
      name: names.shift() ?? 'one too many',
      broken: false,
      // No server that has to be asked whether it can be written to.
      embedded: true,
      transactions: () => new Promise<TransactionsMade>(() => {}),
      close: async () => {},
    }),
  };
  return Crew.open(database as unknown as Database, connections, 100, 1000);
}

/** A reading that goes on until it is ended; what comes of it. */
function read(crew: Crew): Promise<string> {
  return crew
    .read((session) => {
      const { name } = session as unknown as FakeSession;
      begun.push(name);
      return new Promise<string>((resolve, reject) => {
        const lost = () => {
          (session as unknown as FakeSession).broken = true;
          reject(new DatabaseError('the connection is lost', CONNECTION_LOST));
        };
        const badly = () => reject(new DatabaseError('no such table', '42P01'));
        ends.set(name, { well: () => resolve(`by ${name}`), lost, badly });
      });
    })
    .catch((error: DatabaseError) => error.message);
}

/** Two readings that are under way: the keeper's, and a worker's. */
async function twoReadings(): Promise<readonly [Promise<string>, Promise<string>]> {
  const crew = await crewOf(4);
  const readings = [read(crew), read(crew)] as const;
  await settled();
  expect(begun).toEqual(['keeper', 'w0']);
  return readings;
}

/** Nothing here waits for anything but other work of this process. */
async function settled() {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

it('two readings are made at a time: by the keeper, and by a worker while the keeper is at work', async () => {
  const crew = await crewOf(4);
  const readings = [read(crew), read(crew), read(crew)];
  await settled();
  expect(begun).toEqual(['keeper', 'w0']);
  ends.get('w0')?.well();
  await settled();
  expect(begun).toEqual(['keeper', 'w0', 'w0']);
  ends.get('w0')?.well();
  ends.get('keeper')?.well();
  expect(await Promise.all(readings)).toEqual(['by keeper', 'by w0', 'by w0']);
});

it('a reading is made once, and holds up no session but the one that makes it', async () => {
  const crew = await crewOf(4);
  const kept = crew.keep(() => new Promise<void>((resolve) => ends.set('kept', { well: resolve, lost: resolve })));
  const reading = read(crew);
  await settled();
  expect(begun).toEqual(['w0']);
  ends.get('kept')?.well();
  await kept;
  expect(await crew.keep(async (session) => (session as unknown as FakeSession).name)).toBe('keeper');
  ends.get('w0')?.well();
  expect(await reading).toBe('by w0');
  expect(begun).toEqual(['w0']);
});

it('a reading waits for no lock that a worker waits for, once the keeper is free', async () => {
  const crew = await crewOf(4);
  const [worker] = crew.workers;
  // Never answered.
  void worker?.gate.inLine({
    statements: ['LOCK TABLE'],
    isShort: true,
    goesOn: () => true,
    explain: async () => null,
  });
  const first = read(crew);
  await settled();
  const second = read(crew);
  await settled();
  expect(begun).toEqual(['keeper']);
  ends.get('keeper')?.well();
  expect(await first).toBe('by keeper');
  await settled();
  expect(begun).toEqual(['keeper', 'keeper']);
  ends.get('keeper')?.well();
  expect(await second).toBe('by keeper');
});

it('a reading whose worker is lost is made anew by the keeper', async () => {
  const [first, second] = await twoReadings();
  ends.get('w0')?.lost();
  ends.get('keeper')?.well();
  expect(await first).toBe('by keeper');
  await settled();
  expect(begun).toEqual(['keeper', 'w0', 'keeper']);
  ends.get('keeper')?.lost();
  expect(await second).toBe('the connection is lost');
});

it('a reading that fails otherwise is not made anew', async () => {
  const [first, second] = await twoReadings();
  ends.get('w0')?.badly?.();
  ends.get('keeper')?.well();
  expect(await first).toBe('by keeper');
  expect(await second).toBe('no such table');
  expect(begun).toEqual(['keeper', 'w0']);
});

it('a reading of a lost keeper fails: its locks are gone', async () => {
  const crew = await crewOf(4);
  const first = read(crew);
  await settled();
  ends.get('keeper')?.lost();
  expect(await first).toBe('the connection is lost');
  expect(begun).toEqual(['keeper']);
});

it('nothing is begun from the moment at which the keeper is lost, or others wait for it, until it is mended', async () => {
  const crew = await crewOf(2);
  expect(crew.halted).toBe(false);
  (crew.keeper as unknown as FakeSession).broken = true;
  expect(crew.halted).toBe(true);
  await crew.mend(() => true);
  expect(crew.halted).toBe(false);
  crew.halt();
  expect(crew.halted).toBe(true);
  await crew.mend(() => true);
  expect(crew.halted).toBe(false);
});

it('with one connection readings are made one after another', async () => {
  const crew = await crewOf(1);
  const readings = [read(crew), read(crew)];
  await settled();
  expect(begun).toEqual(['keeper']);
  ends.get('keeper')?.well();
  await settled();
  expect(begun).toEqual(['keeper', 'keeper']);
  ends.get('keeper')?.well();
  expect(await Promise.all(readings)).toEqual(['by keeper', 'by keeper']);
});

it('a session whose reading is over makes transactions again', async () => {
  const crew = await crewOf(2);
  const kept = crew.keep(() => new Promise<void>((resolve) => ends.set('kept', { well: resolve, lost: resolve })));
  const reading = read(crew);
  await settled();
  const { session } = crew.workers[0] ?? {};
  expect(begun).toEqual(['w0']);
  let isAlone = false;
  const alone = crew.workers[0]?.gate.alone(async () => {
    isAlone = true;
  });
  await settled();
  expect(isAlone).toBe(false);
  ends.get('w0')?.well();
  await alone;
  expect(isAlone).toBe(true);
  ends.get('kept')?.well();
  await kept;
  expect(await reading).toBe('by w0');
  expect((session as Session | undefined)?.broken).toBe(false);
});
