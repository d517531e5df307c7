import { describe, expect, it } from 'vitest';
import { redact } from '../../src/database/redact.js';

describe('R13: redaction', () => {
  it('hides known secrets, encoded too', () => {
    expect(redact('tried p@ss! and p%40ss!', ['p@ss!'])).toBe('tried *** and ***');
  });

  it.each([
    ['cannot reach postgresql://u:pw@h/d', 'cannot reach postgresql://u:***@h/d'],
    ['postgresql+asyncpg://u:p@w/x@h/d', 'postgresql+asyncpg://u:***@h/d'],
    ["host=h password='p w' user=u", 'host=h password=*** user=u'],
    ['PGPASSWORD=pw psql', 'PGPASSWORD=*** psql'],
  ])('hides what looks like a password: %s', (text, expected) => {
    expect(redact(text, [])).toBe(expected);
  });

  it('leaves other text alone', () => {
    const text = 'password authentication failed for user "alice"';
    expect(redact(text, ['a', ''])).toBe(text);
  });
});
