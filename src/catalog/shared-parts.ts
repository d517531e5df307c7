import { chunk } from '../collections.js';
import type { Session } from '../database/session.js';

/** A session, or one that has something else to do first. */
export type ReadySession = Session | Promise<Session>;

/**
 * Parts of a list for sessions that each take the next when they are free: ever smaller ones, so that none waits long for what
 * another has begun. One of two takes a seventh longer on a machine whose cores are not alike.
 * @param size most: of the first ones; least: of the last ones, of which two may be half of it: each part costs something by itself
 */
export function shrinkingParts<T>(
  items: readonly T[],
  sessions: number,
  size: { readonly most: number; readonly least: number },
): readonly (readonly T[])[] {
  const parts: (readonly T[])[] = [];
  for (let from = 0; from < items.length; from += parts.at(-1)?.length ?? 0) {
    const left = items.length - from;
    const next = Math.min(size.most, Math.max(size.least, Math.ceil(left / (2 * sessions))));
    // Else the very last could be one of a handful, which cost as much to begin.
    const isLast = left < 2 * size.least;
    const length = left <= size.least ? left : isLast ? Math.ceil(left / 2) : next;
    parts.push(items.slice(from, from + length));
  }
  return parts;
}

/**
 * As many parts of a list as there are sessions: for what costs something in each part. Of several sessions up to four times as
 * many, where such parts hold at least so much: none waits long for another then.
 * @param least left out: no list is long enough
 */
export function evenParts<T>(
  items: readonly T[],
  sessions: number,
  least = Number.POSITIVE_INFINITY,
): readonly (readonly T[])[] {
  const most = sessions === 1 ? 1 : 4 * sessions;
  const parts = Math.max(sessions, Math.min(most, Math.floor(items.length / least)));
  return chunk(items, Math.max(1, Math.ceil(items.length / parts)));
}

/**
 * Shares parts among sessions, each of which takes the next when it is free, and gives what each part's reading gave. Ends when
 * all have: none is left busy behind an error.
 */
export async function shared<P, R>(
  sessions: readonly ReadySession[],
  parts: readonly P[],
  read: (session: Session, part: P) => Promise<readonly R[]>,
): Promise<readonly R[]> {
  const open = [...parts.entries()];
  const found: (readonly R[])[] = [];
  const settled = await Promise.allSettled(
    sessions.map(async (ready) => {
      try {
        const session = await ready;
        for (let next = open.shift(); next !== undefined; next = open.shift()) {
          const [at, part] = next;
          found[at] = await read(session, part);
        }
      } catch (error) {
        // The others begin nothing more.
        open.length = 0;
        throw error;
      }
    }),
  );
  for (const session of settled) if (session.status === 'rejected') throw session.reason;
  return found.flat();
}
