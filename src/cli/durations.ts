import { TrueupError } from '../trueup-error.js';

/** Milliseconds of each unit, by the names that PostgreSQL gives them in its settings. */
const UNITS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** What fits lock_timeout and a timer of Node's, both 32-bit milliseconds, in whole days. */
const LONGEST = 24 * 86_400_000;

const DURATION = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/u;
const CLOCK = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/u;
const INSTANT = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?$/iu;

/**
 * A duration as PostgreSQL writes those of its settings: `500ms`, `5s`, `10min`, `2h`, `1d`; a bare number is milliseconds.
 * @param flag for the error
 * @param least milliseconds
 * @returns whole milliseconds
 * @throws {TrueupError} USAGE
 */
export function parseDuration(text: string, flag: string, least = 0): number {
  const ms = milliseconds(text, true);
  if (ms === null)
    throw new TrueupError('USAGE', `--${flag} ${text} is no duration`, {
      remedy: `write it as PostgreSQL does: 500ms, 5s, 10min, 2h or 1d`,
    });
  if (ms < least || ms > LONGEST)
    throw new TrueupError('USAGE', `--${flag} ${text} is too ${ms < least ? 'short' : 'long'}`, {
      remedy: `give it ${least}ms at least and 24d at most`,
    });
  return ms;
}

/**
 * A moment to come: an instant by ISO 8601 (without an offset in local time), a time of day (`HH:MM` or `HH:MM:SS`, local:
 * of today, of tomorrow when it has passed), or a duration from now (`90min`).
 * @throws {TrueupError} USAGE, also for a moment that has passed
 */
export function parseMoment(text: string, flag: string, now: Date): Date {
  const moment = momentOf(text, now);
  if (moment === null || Number.isNaN(moment.getTime()))
    throw new TrueupError('USAGE', `--${flag} ${text} is no moment`, {
      remedy: 'write a time of day (04:30), a duration from now (90min), or an instant (2030-01-31T04:30:00Z)',
    });
  if (moment <= now)
    throw new TrueupError('USAGE', `--${flag} ${text} has passed`, {
      remedy: `give a moment to come; it is ${now.toISOString()} now`,
    });
  return moment;
}

function momentOf(text: string, now: Date): Date | null {
  const trimmed = text.trim();
  if (INSTANT.test(trimmed)) return isInCalendar(trimmed) ? new Date(trimmed) : null;
  const clock = CLOCK.exec(trimmed);
  if (clock !== null) {
    const [, hours, minutes, seconds = '0'] = clock;
    const at = new Date(now);
    at.setHours(Number(hours), Number(minutes), Number(seconds), 0);
    // By the calendar and not by 24 hours: the night that clocks are changed in has 23 or 25.
    if (at <= now) at.setDate(at.getDate() + 1);
    return at;
  }
  // A bare number could be a duration, an hour or a timestamp.
  const ms = milliseconds(trimmed, false);
  return ms === null ? null : new Date(now.getTime() + ms);
}

/** February has no 30th: Date would take it for a day in March, and a run would go on for that much longer. */
function isInCalendar(instant: string): boolean {
  const day = instant.slice(0, 10);
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}

function milliseconds(text: string, bare: boolean): number | null {
  const match = DURATION.exec(text);
  if (match === null) return null;
  const [, number = '', unit = ''] = match;
  if (unit === '') return bare ? Math.round(Number(number)) : null;
  const factor = UNITS[unit];
  return factor === undefined ? null : Math.round(Number(number) * factor);
}
