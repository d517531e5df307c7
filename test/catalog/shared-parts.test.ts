import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evenParts, shared, shrinkingParts } from '../../src/catalog/shared-parts.js';
import type { Session } from '../../src/database/session.js';

const named = (name: string) => ({ name }) as unknown as Session & { readonly name: string };
const nameOf = (session: Session) => (session as unknown as { readonly name: string }).name;

describe('parts that get smaller', () => {
  it('hold every item once, in order, none more than it may, and are few whatever the number of items', () => {
    const fleets = fc.record({ items: fc.nat(60_000), sessions: fc.integer({ min: 2, max: 4 }) });
    fc.assert(
      fc.property(fleets, ({ items, sessions }) => {
        const all = Array.from({ length: items }, (_, at) => at);
        const most = Math.max(1250, Math.ceil(items / sessions / 4));
        const least = Math.ceil(most / 4);
        const parts = shrinkingParts(all, sessions, { most, least });
        expect(parts.flat()).toEqual(all);
        for (const part of parts) expect(part.length).toBeLessThanOrEqual(most);
        expect(parts.length).toBeLessThanOrEqual(10 * sessions);
      }),
      { numRuns: 20 },
    );
  });

  it('end with small ones: what one session has begun last keeps the other waiting for no more than the least', () => {
    const parts = shrinkingParts(Array.from({ length: 10_000 }), 2, { most: 1250, least: 313 });
    const lengths = parts.map((part) => part.length);
    expect(lengths).toEqual([...lengths].sort((left, right) => right - left));
    expect(lengths.at(-1)).toBeLessThanOrEqual(313);
    expect(lengths.at(-1)).toBeGreaterThanOrEqual(156);
    expect(lengths.slice(0, 5)).toEqual([1250, 1250, 1250, 1250, 1250]);
    expect(lengths.length).toBeLessThanOrEqual(13);
  });
});

describe('even parts', () => {
  const lengths = (items: number, least?: number) =>
    evenParts(Array.from({ length: items }), 2, least).map((part) => part.length);

  it('are one a session, or up to four where each still holds enough', () => {
    expect([lengths(10_001), lengths(3), lengths(1), lengths(0)]).toEqual([[5001, 5000], [2, 1], [1], []]);
    expect([lengths(10_000, 250), lengths(1000, 250), lengths(900, 250), lengths(510, 250)]).toEqual([
      Array(8).fill(1250),
      [250, 250, 250, 250],
      [300, 300, 300],
      [255, 255],
    ]);
    expect(lengths(100, 250)).toEqual([50, 50]);
    expect(evenParts(Array.from({ length: 10_000 }), 1, 250)).toHaveLength(1);
  });
});

describe('parts that are shared', () => {
  it('are taken by whoever is ready: a session with something else to do first keeps no other waiting', async () => {
    let begin = () => {};
    const late = new Promise<Session>((resolve) => {
      begin = () => resolve(named('late'));
    });
    const taken: string[] = [];
    const gave = await shared([named('ready'), late], [1, 2, 3, 4], async (session, part) => {
      taken.push(`${nameOf(session)} ${part}`);
      if (part === 2) begin();
      await new Promise((resolve) => setTimeout(resolve, 5));
      return [part * 10];
    });
    expect(taken.slice(0, 2)).toEqual(['ready 1', 'ready 2']);
    expect(taken).toContain('late 3');
    expect(gave).toEqual([10, 20, 30, 40]);
  });

  it('are not begun any more when one fails, or when a session that was waited for is not to be had', async () => {
    const read: number[] = [];
    const failing = shared([named('only')], [1, 2, 3], async (_, part) => {
      read.push(part);
      if (part === 2) throw new Error('lost');
      return [];
    });
    await expect(failing).rejects.toThrow('lost');
    expect(read).toEqual([1, 2]);

    read.length = 0;
    const refused = new Promise<Session>((_, reject) => setTimeout(() => reject(new Error('refused')), 5));
    const lacking = shared([named('ready'), refused], [1, 2, 3], async (_, part) => {
      read.push(part);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return [];
    });
    await expect(lacking).rejects.toThrow('refused');
    expect(read).toEqual([1]);
  });
});
