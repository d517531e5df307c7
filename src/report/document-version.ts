import { readFileSync } from 'node:fs';

/** The version of this package. */
export const TRUEUP_VERSION: string = readVersion();

function readVersion(): string {
  // As deep under the package's root from dist/report as from src/report.
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
