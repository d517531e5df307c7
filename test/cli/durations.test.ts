import { describe, expect, it } from 'vitest';
import { parseDuration, parseMoment } from '../../src/cli/durations.js';

describe('a duration', () => {
  it.each([
    ['500ms', 500],
    ['5s', 5000],
    ['1.5s', 1500],
    ['10min', 600_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['250', 250],
    [' 2 min ', 120_000],
    ['700us', 1],
    ['0', 0],
    ['24d', 24 * 86_400_000],
  ])('reads %j as PostgreSQL does: %i ms', (text, ms) => {
    expect(parseDuration(text, 'lock-wait')).toBe(ms);
  });

  it.each(['', 'soon', '-1s', '5 seconds', '5S', '5m', '1h30min', '1e3', '٣s'])('refuses %j with the forms', (text) => {
    expect(() => parseDuration(text, 'lock-wait')).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: `--lock-wait ${text} is no duration`,
        options: { remedy: expect.stringContaining('500ms, 5s, 10min, 2h or 1d') },
      }),
    );
  });

  it('refuses one out of its bounds', () => {
    expect(() => parseDuration('0', 'build-timeout', 1)).toThrow('--build-timeout 0 is too short');
    expect(() => parseDuration('25d', 'build-timeout')).toThrow('--build-timeout 25d is too long');
  });
});

describe('a moment', () => {
  const now = new Date(2030, 5, 1, 12, 0, 0);
  const moment = (text: string) => parseMoment(text, 'deadline', now);

  it('is a time of today, or of tomorrow when it has passed, in local time', () => {
    expect(moment('14:30')).toEqual(new Date(2030, 5, 1, 14, 30));
    expect(moment('4:05')).toEqual(new Date(2030, 5, 2, 4, 5));
    expect(moment('12:00:00')).toEqual(new Date(2030, 5, 2, 12, 0));
    expect(moment('12:00:01')).toEqual(new Date(2030, 5, 1, 12, 0, 1));
  });

  it('is a duration from now, or an instant', () => {
    expect(moment('90min')).toEqual(new Date(2030, 5, 1, 13, 30));
    expect(moment('2031-01-31T04:30:00Z')).toEqual(new Date('2031-01-31T04:30:00Z'));
    expect(moment('2031-01-31T04:30:00+02:00')).toEqual(new Date('2031-01-31T02:30:00Z'));
    expect(moment('2031-01-31 04:30')).toEqual(new Date(2031, 0, 31, 4, 30));
  });

  it.each(['25:00', '12', '5000', 'noon', '2031-01-31', '2031-13-01T00:00:00Z', '2031-02-30T00:00:00Z', ''])(
    'refuses %j: it could mean several things, or nothing',
    (text) => {
      expect(() => moment(text)).toThrow(
        expect.objectContaining({ code: 'USAGE', message: `--deadline ${text} is no moment` }),
      );
    },
  );

  it('refuses what has passed', () => {
    expect(() => moment('2029-01-01T00:00:00Z')).toThrow('has passed');
    expect(() => moment('0s')).toThrow('has passed');
  });
});
