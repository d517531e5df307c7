/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FleetPlan } from '../../../src/plan/fleet-plan.js';
import { htmlReport, type ReportedRun } from '../../../src/report/html/report.js';
import { startBrowser } from '../../support/browser/browser.js';
import {
  addColumn,
  backfill,
  dropIndex,
  ended,
  fleetOutcome,
  fleetPlan,
  member,
  missingMembers,
  phase,
  refusedRebuild,
  tenant,
  tenants,
  waitingIndex,
} from '../../support/plan-fixture.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const HOSTILE = '</script><img src=x onerror=alert(1)>';

const inSync = (count: number) => Array.from({ length: count }, (_, at) => tenant(`calm_${at}`));

/** Every kind of thing that a page can show, over so many tenants. */
const fleet = (calm: number, drifted = 40): FleetPlan =>
  fleetPlan(
    {
      tenants: [
        ...inSync(calm),
        ...tenants(drifted, missingMembers(member('acme')), backfill('kind')),
        tenant('blocked_one', refusedRebuild, dropIndex('items_body')),
        tenant('waiting_one', waitingIndex),
        tenant(HOSTILE, addColumn('a_column_with_a_name_as_long_as_names_of_columns_can_ever_be_63')),
      ],
      databaseChanges: [dropIndex('x')],
      unreadable: [{ database: 'main', schema: 'shut', code: 'TENANT_UNREADABLE', message: 'permission denied' }],
      diagnostics: Array.from({ length: 7 }, (_, at) => ({
        severity: 'warning' as const,
        code: 'LOOKS_LIKE_A_TENANT' as const,
        message: `schema "d${at}" holds some of the tables`,
        remedy: 'name it with --schema',
        database: 'main',
        schema: `d${at}`,
      })),
    },
    { phases: [phase('base'), phase('search'), phase('vector', { selected: false })] },
  );

const outcome: ReportedRun = {
  kind: 'ended',
  retry: 'trueup apply --yes',
  outcome: fleetOutcome(
    fleet(300).databases.flatMap((database) =>
      database.tenants.map(({ schema, changes }, at) => {
        if (changes.length === 0) return ended(schema, 'in-sync');
        const error = {
          code: 'TENANT_LOCKED',
          message: 'held by process 7',
          sqlstate: '55P03',
          remedy: 'end it',
        } as const;
        if (at % 9 === 0) return ended(schema, 'failed', { error });
        const ends = ['converged', 'not-attempted', 'partial', 'blocked', 'deferred', 'stale', 'vanished'] as const;
        return ended(schema, ends[at % 7] ?? 'converged', {
          changes: changes.map((item) => ({ item, result: at % 2 === 0 ? 'applied' : 'in-doubt' })),
        });
      }),
    ),
    { ended: 'SIGINT', interrupted: 'SIGINT' },
  ),
};

const directory = mkdtempSync(join(tmpdir(), 'trueup-page-'));
let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
}, 300_000);
afterAll(async () => {
  await browser?.close();
  rmSync(directory, { recursive: true, force: true });
});

interface Opened {
  readonly page: Page;
  /** Requests beyond the page itself, what it said on the console, and dialogs. */
  readonly noise: readonly string[];
}

/** Opens a page as a file, in a context of its own that is closed after `use`. */
async function opened(
  html: string,
  use: (opened: Opened) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const file = join(directory, 'page.html');
  writeFileSync(file, html);
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    colorScheme: 'light',
    ...options,
  });
  context.setDefaultTimeout(15_000);
  try {
    const page = await context.newPage();
    const noise: string[] = [];
    page.on('console', (message) => noise.push(message.text()));
    page.on('pageerror', (error) => noise.push(error.message));
    page.on('dialog', (dialog) => {
      noise.push(`dialog ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (request.url() !== pathToFileURL(file).href) noise.push(request.url());
    });
    await page.goto(pathToFileURL(file).href);
    await use({ page, noise });
  } finally {
    await context.close();
  }
}

const planOf = (calm: number, drifted: number): string =>
  htmlReport(fleet(calm, drifted), { kind: 'plan' }, { showValues: true });
const plan = planOf(300, 40);
const applied = htmlReport(fleet(300), outcome, { showValues: false });

/** What axe finds against WCAG 2.2 AA and its own good practice, everything folded out. */
async function violations(page: Page, rule?: string): Promise<readonly string[]> {
  await unfold(page);
  await page.evaluate(AXE);
  const only = rule === undefined ? {} : { runOnly: { type: 'rule', values: [rule] } };
  const options = JSON.stringify({ resultTypes: ['violations'], ...only });
  const results = (await page.evaluate(`axe.run(${options})`)) as AxeResults;
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
}

const unfold = (page: Page): Promise<void> =>
  page.evaluate(() => {
    for (const box of document.querySelectorAll('details')) box.open = true;
  });

/** The red of the page's ground, 0 to 255. */
async function ground(page: Page): Promise<number> {
  const color = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  return Number(/\d+/u.exec(color)?.[0]);
}

/** Whether an element is on the screen. */
const inSight = (element: Element): boolean => {
  const { top, bottom, height } = element.getBoundingClientRect();
  return height > 0 && top >= 0 && bottom <= window.innerHeight;
};

/** What has the focus, in words. */
const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const element = document.activeElement;
    if (element === null || element === document.body) return '';
    return `${element.tagName.toLowerCase()} ${element.getAttribute('aria-label') ?? element.textContent.trim()}`.slice(
      0,
      60,
    );
  });

describe.each([
  ['plan', plan],
  ['apply', applied],
])('the page of %s in a browser', (_, html) => {
  it('says nothing on the console, asks for nothing, and lets no script run but its own', async () => {
    await opened(html, async ({ page, noise }) => {
      await page.locator('#search').fill('img src');
      await page.keyboard.press('Enter');
      await page.locator('.cells.wide').hover();
      expect(noise).toEqual([]);
      expect(await page.locator('img').count()).toBe(0);
      await page.evaluate(() => {
        const script = document.createElement('script');
        script.textContent = 'document.title = "taken over"';
        document.body.append(script);
      });
      expect(await page.title()).not.toBe('taken over');
      expect(noise.join()).toContain('Content Security Policy');
    });
  });

  it('has no fault that axe knows of, light and dark', async () => {
    await opened(html, async ({ page }) => {
      expect(await violations(page)).toEqual([]);
      expect(await ground(page)).toBeGreaterThan(220);
      await page.emulateMedia({ colorScheme: 'dark' });
      expect(await violations(page, 'color-contrast')).toEqual([]);
      expect(await ground(page)).toBeLessThan(40);
    });
  });

  it('fits a width of 320 pixels', async () => {
    await opened(
      html,
      async ({ page }) => {
        await unfold(page);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
        expect(await page.locator('.cells.narrow').isVisible()).toBe(true);
        expect(await page.locator('.cells.wide').isVisible()).toBe(false);
      },
      { viewport: { width: 320, height: 640 } },
    );
  });

  it('gives everything that can be used to the keyboard, in the order of the page', async () => {
    await opened(html, async ({ page }) => {
      const usable = await page.evaluate(() => {
        const words = (element: Element) =>
          `${element.tagName} ${element.getAttribute('aria-label') ?? element.textContent}`.slice(0, 60);
        const reached: string[] = [];
        Object.assign(globalThis, { reached });
        document.addEventListener('focusin', ({ target }) => {
          if (target instanceof Element) reached.push(words(target));
        });
        return [...document.querySelectorAll('a[href], input, summary, [tabindex="0"]')]
          .filter((element) => element.checkVisibility({ contentVisibilityAuto: true }))
          .map(words);
      });
      for (const _ of usable) await page.keyboard.press('Tab');
      const reached = (await page.evaluate('reached')) as readonly string[];
      expect(reached).toEqual(usable);
      expect(reached[0]).toBe('A Skip to the report');
      expect(reached.length).toBeGreaterThan(20);
    });
  });

  it('prints on white paper, with statements and short lists folded out', async () => {
    await opened(
      html,
      async ({ page }) => {
        await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
        expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(255, 255, 255)');
        expect(await page.evaluate(() => getComputedStyle(document.body).color)).toBe('rgb(0, 0, 0)');
        // Not by its height: of what is folded away that is 0 only until the browser has laid it out, which it may at any time.
        const isShown = (selector: string) =>
          page
            .locator(selector)
            .first()
            .evaluate((element) => element.checkVisibility() && element.getBoundingClientRect().height > 10);
        expect(await isShown('#class-1 .names')).toBe(true);
        expect(await isShown('#in-sync .names')).toBe(false);
        const pdf = await page.pdf({ format: 'A4' });
        expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
        expect(pdf.toString('latin1').match(/\/Type \/Page\b/gu)?.length).toBeLessThan(12);
      },
      { colorScheme: 'dark' },
    );
  });
});

it('is read without scripts: classes, statements and names are there, the search is not', async () => {
  await opened(
    plan,
    async ({ page }) => {
      expect(await page.locator('form.search').isVisible()).toBe(false);
      expect(await page.locator('#class-1 .sql').first().isVisible()).toBe(true);
      await page.locator('#class-1 .who-list summary').first().click();
      expect(await page.locator('#class-1 .names').first().isVisible()).toBe(true);
    },
    { javaScriptEnabled: false },
  );
});

describe('the search', () => {
  it('finds a tenant by a part of its name, and goes to what it needs', async () => {
    await opened(plan, async ({ page }) => {
      await page.keyboard.press('/');
      expect(await focused(page)).toBe('input ');
      await page.keyboard.type('BLOCKED');
      expect(await page.locator('#hits [role=option]').allInnerTexts()).toEqual(['blocked_one\nclass 2']);
      await page.keyboard.press('Enter');
      expect(await page.locator('article:target h3').innerText()).toMatch(/Class 2/u);
      expect(await page.locator('mark').innerText()).toBe('blocked_one');
      expect(await page.locator('mark').evaluate(inSight)).toBe(true);
      expect(await focused(page)).toBe('div Tenants: class 2');
      expect(await page.locator('#hits').isVisible()).toBe(false);
    });
  });

  it('shows the first of many, those that begin so before the others, and is used with arrow keys', async () => {
    await opened(plan, async ({ page }) => {
      await page.locator('#search').fill('t1');
      const options = page.locator('#hits [role=option]');
      expect((await options.allInnerTexts()).slice(0, 2)).toEqual(['t1\nclass 1', 't10\nclass 1']);
      await page.keyboard.press('ArrowDown');
      expect(await page.locator('[aria-selected=true]').innerText()).toBe('t10\nclass 1');
      expect(await page.locator('#search').getAttribute('aria-activedescendant')).toBe('hit-1');
      await page.keyboard.press('Escape');
      expect(await page.locator('#hits').isVisible()).toBe(false);
      await page.locator('#search').fill('calm_');
      expect((await options.allInnerTexts()).at(-1)).toBe('… and 288 more');
      expect(await page.locator('#search-said').textContent()).toBe('300 of 344 tenants');
      await options.nth(2).click();
      expect(await page.locator('mark').innerText()).toBe('calm_2');
    });
  });

  it('shows a name that looks like markup as it is, and says when there is none', async () => {
    await opened(plan, async ({ page }) => {
      await page.locator('#search').fill('onerror');
      expect(await page.locator('#hits bdi').allInnerTexts()).toEqual([HOSTILE]);
      await page.locator('#search').fill('no such');
      expect(await page.locator('#hits').innerText()).toBe('No tenant has a name like this.');
      await page.keyboard.press('Enter');
      expect(await page.locator('mark').count()).toBe(0);
    });
  });
});

describe('the picture', () => {
  it('names the tenant under the pointer, and goes to what it needs', async () => {
    await opened(plan, async ({ page }) => {
      const picture = page.locator('.cells.wide');
      const { width = 0 } = (await picture.boundingBox()) ?? {};
      const size = width / Number(await picture.getAttribute('data-columns'));
      // The first cell is the tenant that could not be read, the second the first of class 1.
      await picture.hover({ position: { x: size * 0.5, y: size * 0.5 } });
      expect(await page.locator('#cell-said').textContent()).toBe('shut: not readable');
      await picture.click({ position: { x: size * 1.5, y: size * 0.5 } });
      expect(await page.locator('mark').innerText()).toBe('t1');
    });
  });

  it('is walked with the keyboard: cell by cell, group by group, to its end', async () => {
    await opened(plan, async ({ page }) => {
      const said = () => page.locator('[role=slider]').getAttribute('aria-valuetext');
      await page.locator('[role=slider]').focus();
      expect(await said()).toBe('shut: not readable');
      await page.keyboard.press('PageDown');
      await page.keyboard.press('ArrowRight');
      expect(await said()).toBe('t2: class 1');
      await page.keyboard.press('PageDown');
      expect(await said()).toBe('blocked_one: class 2');
      await page.keyboard.press('PageUp');
      expect(await said()).toBe('t1: class 1');
      await page.keyboard.press('End');
      expect(await said()).toBe('calm_299: in sync');
      await page.keyboard.press('Enter');
      expect(await page.locator('article:target').getAttribute('id')).toBe('in-sync');
    });
  });
});

it('10,000 and 50,000 tenants open in less than five seconds, and a search among them answers in less than two', async () => {
  for (const calm of [9_000, 45_000]) {
    await opened(planOf(calm, calm / 9), async ({ page, noise }) => {
      const interactive = await page.evaluate(() => {
        const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
        return navigation?.domContentLoadedEventEnd ?? Number.POSITIVE_INFINITY;
      });
      expect(interactive).toBeLessThan(5_000);
      // In the page: what the browser's driver takes is not the page's.
      const took = await page.evaluate(
        (name) => {
          const input = document.querySelector<HTMLInputElement>('#search');
          const began = performance.now();
          input?.focus();
          if (input !== null) input.value = name;
          input?.dispatchEvent(new Event('input'));
          input?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
          return performance.now() - began;
        },
        `calm_${calm - 1}`,
      );
      expect(await page.locator('mark').textContent()).toBe(`calm_${calm - 1}`);
      expect(await page.locator('mark').evaluate(inSight)).toBe(true);
      expect(took).toBeLessThan(2_000);
      expect(noise).toEqual([]);
    });
  }
});
