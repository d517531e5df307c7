import { expect, it } from 'vitest';
import { paletteOf } from '../../src/cli/palette.js';

it('colours nothing that is no terminal, in a CI job either, unless FORCE_COLOR asks for it', () => {
  expect(paletteOf({}, {}).red('x')).toBe('x');
  expect(paletteOf({ isTTY: false }, { CI: 'true', GITHUB_ACTIONS: 'true' }).red('x')).toBe('x');
  expect(paletteOf({ isTTY: true }, {})).toBeDefined();
});
