import { expect, it } from 'vitest';
import { RowsAhead } from '../../src/catalog/rows-ahead.js';
import { deferred } from '../../src/database/deferred.js';
import type { Session } from '../../src/database/session.js';

const shops = { table: 'shops', columns: ['id'] };
const NAMES = ['a', 'b'];

/** A session that answers a look with the types of some tenants' tables, when it is let. */
function sessionThat(answer: () => Promise<readonly unknown[]>) {
  const said: string[] = [];
  const session = {
    query: async (sql: string) => {
      said.push(sql);
      return sql.includes('relhassubclass') ? answer() : [];
    },
    release: async () => void said.push('released'),
  };
  return { said, session: session as unknown as Session };
}

const found = [{ names: NAMES, types: ['text'] }];

it('a look ahead keeps nobody waiting but whoever asks what it has found, and leaves its session free', async () => {
  const answer = deferred<readonly unknown[]>();
  const { said, session } = sessionThat(() => answer.promise);
  const order: string[] = [];
  await RowsAhead.during(async (ahead) => {
    ahead.begin(
      async () => session,
      NAMES,
      async () => [shops, null],
    );
    order.push('went on');
    await expect.poll(() => said.some((sql) => sql.includes('relhassubclass'))).toBe(true);
    const asked = ahead.of(shops).then((known) => order.push(...known.keys()));
    setTimeout(() => {
      order.push('answered');
      answer.resolve(found);
    }, 5);
    await asked;
    expect(await ahead.of({ table: 'shops', columns: ['no'] })).toEqual(new Map());
  });
  expect(order).toEqual(['went on', 'answered', 'a', 'b']);
  expect(said.at(-1)).toBe('released');
});

it('a look ahead that fails has found nothing, and what was to be done besides is done', async () => {
  const refused = async () => Promise.reject(new Error('no connection is left'));
  const { said, session } = sessionThat(refused);
  const known = await RowsAhead.during(async (ahead) => {
    ahead.begin(refused, NAMES, async () => [shops]);
    ahead.begin(
      async () => session,
      NAMES,
      async () => [shops],
    );
    ahead.begin(
      async () => session,
      NAMES,
      async () => refused(),
    );
    return ahead.of(shops);
  });
  expect(known).toEqual(new Map());
  expect(said.at(-1)).toBe('released');
});

it('where nothing is to be copied no session is opened to look', async () => {
  let opened = 0;
  const open = async () => {
    opened += 1;
    return sessionThat(async () => found).session;
  };
  await RowsAhead.during(async (ahead) => ahead.begin(open, NAMES, async () => [null]));
  expect(opened).toBe(0);
});

it('a run that fails ends no sooner than the look that it has begun', async () => {
  const answer = deferred<readonly unknown[]>();
  const { said, session } = sessionThat(() => answer.promise);
  const run = RowsAhead.during(async (ahead) => {
    ahead.begin(
      async () => session,
      NAMES,
      async () => [shops],
    );
    throw new Error('a plan that cannot be made');
  });
  setTimeout(() => answer.resolve(found), 5);
  await expect(run).rejects.toThrow('a plan that cannot be made');
  expect(said.at(-1)).toBe('released');
});

it('a look ahead at many tenants ends when somebody asks: what is left is looked at by more than one session then', async () => {
  const answers = [deferred<readonly unknown[]>(), deferred<readonly unknown[]>()];
  let looks = 0;
  const { said, session } = sessionThat(() => {
    looks += 1;
    return answers[looks - 1]?.promise ?? Promise.resolve([]);
  });
  const many = Array.from({ length: 5000 }, (_, at) => `t${at}`);
  const known = await RowsAhead.during(async (ahead) => {
    ahead.begin(
      async () => session,
      many,
      async () => [shops],
    );
    answers[0]?.resolve(found);
    await expect.poll(() => looks).toBe(2);
    const asked = ahead.of(shops);
    answers[1]?.resolve([{ names: ['c'], types: ['text'] }]);
    return asked;
  });
  expect([...known.keys()]).toEqual(['a', 'b', 'c']);
  expect(looks).toBe(2);
  expect(said.at(-1)).toBe('released');
});
