import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { IN_MEMORY } from '../../src/cli/arguments.js';
import { desiredStateDirectory, loadOptionsOf, targetOf } from '../../src/cli/flags.js';

describe('flags', () => {
  it('become what the loader takes', () => {
    const flags = { 'desired-state': 'x', backend: ['vector=a'], set: ['filter=a=b', 'empty='], phase: ['base'] };
    expect(loadOptionsOf(flags, { A: '1' })).toEqual({
      directory: resolve('x'),
      environment: { A: '1' },
      backends: { vector: 'a' },
      parameters: { filter: 'a=b', empty: '' },
      phases: ['base'],
      skipExtensionPhases: false,
    });
    expect(loadOptionsOf({ 'skip-extension-reconcile': true }, {})).toMatchObject({
      phases: null,
      skipExtensionPhases: true,
    });
  });

  it('of another form are refused with the form', () => {
    expect(() => loadOptionsOf({ backend: ['pgvector'] }, {})).toThrow('not of the form PHASE=NAME');
    expect(() => loadOptionsOf({ set: ['=1'] }, {})).toThrow('not of the form PARAM=VALUE');
    expect(() => loadOptionsOf({ set: ['a=1', 'a=2'] }, {})).toThrow('two values');
  });

  it('name the package’s own desired state when there is no other', () => {
    const directory = desiredStateDirectory(undefined);
    expect(existsSync(join(directory, '..', 'package.json'))).toBe(true);
  });

  it('name the target', () => {
    expect(targetOf({ embedded: IN_MEMORY }, {}, [])).toMatchObject({ kind: 'embedded', directory: null });
    expect(targetOf({}, { APP_URL: 'postgresql://h/d' }, ['APP_URL']).description.source).toBe('APP_URL');
  });
});
