import { writeFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { type FlightsApp, openFlights } from './support/flights-app.js';
import { launch, openPage, overflowOf } from './support/open-page.js';

const FOLDER = new URL('../../../docs/images/', import.meta.url);

let browser: Browser;
let flights: FlightsApp;

beforeAll(async () => {
  browser = await launch();
  flights = await openFlights();
  const { trouble, operator } = flights;
  [trouble.poisoned, trouble.hanging, trouble.pace] = ['BOS', 'SEA', 90];
  await operator.pause('MIA');
  void flights.replay();
});
afterAll(async () => {
  await browser.close();
  flights.trouble.release();
  flights.trouble.pace = 0;
  await flights.app.close();
});

async function take(page: Page, name: string, fullPage = true): Promise<void> {
  expect(await overflowOf(page)).toBe(0);
  const picture = await page.screenshot({ fullPage, animations: 'disabled' });
  writeFileSync(new URL(`dashboard-${name}.png`, FOLDER), picture);
}

test.each([
  ['light', 1280],
  ['dark', 1280],
  ['light', 400],
  ['dark', 400],
] as const)('%s, %d pixels wide', async (colorScheme, width) => {
  const { page, complaints, close } = await openPage(browser, flights.url, {
    colorScheme,
    viewport: { width, height: 860 },
  });
  const name = (view: string) => `${view}-${colorScheme}-${width}`;
  await page.getByRole('heading', { name: /3 keys cannot go on/ }).waitFor();
  // Until the charts have something to show.
  for (let snapshot = 0; snapshot < 4; snapshot++) {
    const before = await page.locator('time').textContent();
    await page.locator('time').getByText(before!).waitFor({ state: 'detached' });
  }
  await take(page, name('overview'));
  await page.getByRole('link', { name: '"BOS"' }).first().click();
  await page.getByText('TypeError: the runway').first().waitFor();
  await take(page, name('key'));
  await page.getByRole('button', { name: 'Resume…' }).click();
  await page.getByRole('dialog').waitFor();
  if (width === 1280) await take(page, name('question'), false);
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Shards', exact: true }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Shards' }).waitFor();
  await take(page, name('shards'), false);
  expect(complaints).toEqual([]);
  await close();
});
