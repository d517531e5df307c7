import { expect, it } from 'vitest';
import { fleetText, nextText } from '../../src/demo/text.js';
import { NO_COLOR } from '../../src/report/layout.js';

const layout = { color: NO_COLOR, width: 100 };
const HOSTILE = "/tmp/it's\u001b[2J\nrm -r $HOME";

it('S5: a directory of any name neither steers the terminal nor ends a line that is there to be copied', () => {
  const [fleet, next] = [fleetText(HOSTILE, layout), nextText('trueup', HOSTILE, layout)];
  for (const shown of [fleet, next]) expect(shown).not.toMatch(/(?!\n)\p{Cc}/u);
  expect(fleet.replaceAll(/\s+/gu, ' ')).toContain(String.raw`/tmp/it's\x1b[2J\x0arm -r $HOME`);
  const quoted = String.raw`$'/tmp/it\'s\x1b[2J\x0arm -r $HOME'`;
  expect(next).toContain(`  trueup plan --embedded ${quoted} --verbose\n`);
  expect(next).toContain(`\n  rm -r ${quoted}\n`);
});

it('a fleet in memory is gone when the demo ends: nothing is to be tried on it', () => {
  expect(nextText('trueup', null, layout)).not.toContain('--embedded');
  expect(fleetText(null, layout)).toContain('in memory');
});
