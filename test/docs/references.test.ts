import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import fleetSchema from '../../src/desired-state/schema/fleet.schema.json' with { type: 'json' };
import tablesSchema from '../../src/desired-state/schema/tables.schema.json' with { type: 'json' };
import { loadConfig } from '../../src/start/load-config.js';
import { page } from '../support/docs.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGES = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((file) => `docs/${file}`)];

describe('the references in docs', () => {
  it('are what `npm run docs` writes', () => {
    const { status, stderr } = spawnSync('npm', ['run', '--silent', '--loglevel=error', 'docs', '--', '--check'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('describe every key of the format', () => {
    const undescribed: string[] = [];
    const visit = (schema: unknown, path: string): void => {
      if (typeof schema !== 'object' || schema === null) return;
      const { properties } = schema as { properties?: Record<string, object> };
      for (const [key, property] of Object.entries(properties ?? {}))
        if (!('description' in property)) undescribed.push(`${path}.${key}`);
      for (const [key, value] of Object.entries(schema)) visit(value, `${path}.${key}`);
    };
    visit(fleetSchema, 'fleet');
    visit(tablesSchema, 'tables');
    expect(undescribed).toEqual([]);
  });
});

describe('the pages', () => {
  it.each(PAGES)('%s: call commands that there are, with flags that these have', async (path) => {
    const { commands } = await loadConfig(new URL('../../bin/run.js', import.meta.url).href, {});
    // Command lines of blocks of shell, and those that stand in a sentence as code.
    const text = page(path).replaceAll('\\\n', ' ');
    const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gmu)].flatMap(([, block = '']) => block.split('\n'));
    const inline = [...text.replaceAll(/^```[\s\S]*?^```/gmu, '').matchAll(/`([^`]+)`/gu)].map(([, code = '']) => code);
    const wrong = [...blocks, ...inline].flatMap((line) =>
      [...line.matchAll(/(?<![\w./-])(?:npx )?trueup ([a-z]+)\b([^|#>&;]*)/gu)].flatMap(([called, name, rest = '']) => {
        const command = commands.find(({ id }) => id === name);
        if (command === undefined) return [called];
        const known = ['help', ...Object.values(command.flags).flatMap((flag) => [flag.name, ...(flag.aliases ?? [])])];
        const used = [...rest.matchAll(/(?<![\w-])--([a-z][a-z-]*)/gu)].map(([, flag = '']) => flag);
        return used.every((flag) => known.includes(flag)) ? [] : [called];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it.each(PAGES)('%s: link to pages and headings that there are', (path) => {
    const broken = [...page(path).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/gu)].flatMap(
      ([link, to, anchor]) => {
        const target = to === '' || to === undefined ? path : join(dirname(path), to);
        if (!existsSync(join(ROOT, target))) return [link];
        return anchor === undefined || anchors(target).includes(anchor) ? [] : [link];
      },
    );
    expect(broken).toEqual([]);
  });
});

/** Of the headings of a page, as GitHub makes them. */
const anchors = (path: string): readonly string[] =>
  [...page(path).matchAll(/^#+ (.*)$/gmu)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
