import { distance } from 'fastest-levenshtein';
import { speltOut } from './spelt-out.js';

/**
 * The candidate that a mistyped word most likely stands for: at most a third of its letters differ, or two of four. A slip of
 * case is none.
 */
export function closest(word: string, candidates: Iterable<string>): string | null {
  const short = word.slice(0, 200);
  let best: string | null = null;
  let least = Math.max(short.length < 4 ? 1 : 2, Math.floor(short.length / 3)) + 1;
  for (const candidate of candidates) {
    const far = distance(short.toLowerCase(), candidate.toLowerCase());
    if (far < least) {
      best = candidate;
      least = far;
    }
  }
  return best;
}

/** What to do about an unknown word: the nearest one, else all there are. */
export function suggestion(word: string, candidates: Iterable<string>): string {
  const all = [...new Set(candidates)];
  const near = closest(word, all);
  if (near !== null) return `did you mean ${shown(near)}?`;
  return all.length === 0 ? 'there are none' : `there are: ${all.join(', ')}`;
}

/** A word from outside as messages show it: quoted, nothing in it unseen, not endlessly long. */
export function shown(text: string): string {
  // A reader would compare two words that look the same.
  const plain = speltOut(JSON.stringify(text));
  return plain.length > 122 ? `${plain.slice(0, 120)}…"` : plain;
}
