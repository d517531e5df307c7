import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A page of the repository, by its path. */
export const page = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** The fenced blocks of a language in a page, in order. */
export const blocksOf = (path: string, language: string): readonly string[] =>
  [...page(path).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gmu'))].map(
    (found) => found[1] ?? '',
  );

/** Writes the small example of docs/desired-state.md where programs look for it: into `desired-state`. */
export function writeSmallExample(directory: string): void {
  const folder = join(directory, 'desired-state');
  mkdirSync(folder, { recursive: true });
  const files = blocksOf('docs/desired-state.md', 'yaml').flatMap((text) => {
    const name = /^# ((?:fleet|base)\.yaml)\n/u.exec(text)?.[1];
    return name === undefined ? [] : [{ name, text }];
  });
  if (files.length !== 2) throw new Error('docs/desired-state.md has no small example');
  for (const { name, text } of files) writeFileSync(join(folder, name), text);
}
