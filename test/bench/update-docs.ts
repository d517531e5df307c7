import { readFileSync, writeFileSync } from 'node:fs';

/** Puts a fleet's tables between its two markers in a Markdown file. @throws {Error} when the file lacks them */
export function updateDocs(file: string, tenants: number, tables: string): void {
  const text = readFileSync(file, 'utf8');
  const [begin, end] = [`<!-- bench of ${tenants} tenants: begin -->\n`, `<!-- bench of ${tenants} tenants: end -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0)
    throw new Error(`${file} has no place for a fleet of ${tenants} tenants: ${begin.trim()} … ${end}`);
  writeFileSync(file, `${text.slice(0, from + begin.length)}\n${tables}\n\n${text.slice(to)}`);
}
