import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseYaml } from '../../src/desired-state/parse-yaml.js';
import { parsedFile, yamlFile } from '../../src/desired-state/parsed-file.js';
import { Problems } from '../../src/desired-state/problems.js';
import type { Path, YamlFile } from '../../src/desired-state/yaml-file.js';

const SHIPPED = fileURLToPath(new URL('../../desired-state/', import.meta.url));
const BUILT = new URL('../../dist/desired-state/shipped-files.js', import.meta.url).href;
const { shippedFile } = (await import(BUILT)) as typeof import('../../src/desired-state/shipped-files.js');

const names = readdirSync(SHIPPED, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'));
const shipped = names.map((name) => [name, readFileSync(join(SHIPPED, name), 'utf8')] as const);

const ODD = `# a comment
first: &one { a: [1, 2.5, ~], 'quoted key': "x" }
second: *one
empty:
list:
  - plain text
  - |
    a block
      of text
  - [nested, [deeper]]
8: number as key
"constructor": own
`;

function parsed(name: string, text: string): YamlFile {
  const file = parseYaml(name, text, new Problems());
  if (file === null) throw new Error(`${name} cannot be parsed`);
  return file;
}

/** Every path into a value, and from each some that lead nowhere. */
function pathsOf(value: unknown, path: Path = []): readonly Path[] {
  const astray: readonly Path[] = ['absent', 'toString', 'length', 99].map((step) => [...path, step]);
  const within = typeof value === 'object' && value !== null ? value : {};
  const steps = Array.isArray(within) ? [...within.keys()] : Object.keys(within);
  return [
    path,
    ...astray,
    ...steps.flatMap((step) => pathsOf((within as Readonly<Record<string | number, unknown>>)[step], [...path, step])),
  ];
}

/** What a file says of itself, in all places. */
const told = (file: YamlFile) =>
  pathsOf(file.value).map((path) => [path, file.position(path), file.position(path, 'key')]);

describe('a file that was parsed ahead', () => {
  it.each([...shipped, ['odd.yaml', ODD] as const])('says what parsing it says, place by place: %s', (name, text) => {
    const whole = parsed(name, text);
    const ahead = yamlFile(name, text, JSON.parse(JSON.stringify(parsedFile(whole))));
    expect(ahead.value).toEqual(whole.value);
    expect(told(ahead)).toEqual(told(whole));
  });

  it('knows the place within a text', () => {
    const whole = parsed('odd.yaml', ODD);
    const ahead = yamlFile('odd.yaml', ODD, parsedFile(whole));
    for (const path of [
      ['list', 0],
      ['list', 1],
      ['first', 'quoted key'],
    ])
      expect(ahead.textPosition(path, 3)).toEqual(whole.textPosition(path, 3));
  });

  it.each(shipped)('is known by its text alone, once the package is built: %s', (name, text) => {
    const file = shippedFile(`/elsewhere/${name}`, text);
    expect(file?.value).toEqual(parsed(name, text).value);
    expect(file?.position([])).toMatchObject({ file: `/elsewhere/${name}` });
    expect(shippedFile(name, `${text}\n`)).toBeNull();
  });
});
