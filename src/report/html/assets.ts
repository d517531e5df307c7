import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Html } from './html.js';

/** A part of every page that stands in it as it is, and the hash by which its security policy admits it alone. */
export interface Asset {
  readonly text: Html;
  /** `sha256-…`, as a Content-Security-Policy writes it. */
  readonly hash: string;
}

/** Neither holds `</`, which would end its element. */
export const pageStyle: Asset = asset('tokens.css', 'page.css', 'sections.css', 'narrow.css', 'print.css');
export const pageScript: Asset = asset('page.js');

function asset(...names: readonly string[]): Asset {
  const text = names.map((name) => readFileSync(new URL(`assets/${name}`, import.meta.url), 'utf8')).join('\n');
  return { text: new Html(text), hash: `sha256-${createHash('sha256').update(text).digest('base64')}` };
}
