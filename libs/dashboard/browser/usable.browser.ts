import type { INestApplication } from '@nestjs/common';
import type { Browser } from 'playwright-core';
import { axeFindings, launch, openPage, overflowOf } from './support/open-page.js';
import { openLarge } from './support/large-app.js';

let browser: Browser;
let app: INestApplication;
let url: string;

beforeAll(async () => {
  browser = await launch();
  ({ app, url } = await openLarge());
});
afterAll(async () => {
  await browser.close();
  await app.close();
});

const VIEWS = [
  ['#/', 'cannot go on'],
  ['#/keys', 'Keys'],
  ['#/keys?list=hottest', 'Keys'],
  ['#/keys?shard=3', 'Keys of shard 3'],
  ['#/key/g20AAAABaw', 'a-customer'],
  ['#/shards', 'Shards'],
  ['#/processes?name=default%40worker-07.eu-west.example%3A4711%3A7', 'Processes'],
  ['#/dead-letters', 'Dead letters'],
  ['#/nowhere', 'Not found'],
] as const;

describe.each([
  ['light', 1280],
  ['dark', 1280],
  ['light', 400],
  ['dark', 400],
] as const)('%s, %d pixels wide, with 128 shards, 100,000 keys and 50 processes', (colorScheme, width) => {
  test('axe finds nothing in any view, and none is wider than the window', async () => {
    const { page, complaints, close } = await openPage(browser, url, { colorScheme, viewport: { width, height: 900 } });
    for (const [hash, heading] of VIEWS) {
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
      await page.getByRole('heading', { level: 1, name: heading }).waitFor();
      await page.locator('main').getByText('Looking …').waitFor({ state: 'detached' });
      expect([hash, await axeFindings(page)]).toEqual([hash, []]);
      expect([hash, await overflowOf(page)]).toEqual([hash, 0]);
    }
    await page.evaluate('location.hash = "#/shards"');
    for (const label of ['Age of the oldest message', 'Rate', 'Owner']) {
      await page.getByLabel(label).check();
      expect([label, await axeFindings(page)]).toEqual([label, []]);
    }
    expect(complaints).toEqual([]);
    await close();
  });

  test('axe finds nothing in a question', async () => {
    const { page, close } = await openPage(browser, url, { colorScheme, viewport: { width, height: 900 } });
    await page.evaluate('location.hash = "#/key/g20AAAABaw"');
    await page.getByRole('button', { name: 'Deactivate…' }).click();
    await page.getByRole('dialog').waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await close();
  });

  test('axe finds nothing in the editor of a state, its question and the audit trail, and none is wider than the window', async () => {
    const { page, complaints, close } = await openPage(browser, url, { colorScheme, viewport: { width, height: 900 } });
    const check = async (what: string) => {
      expect([what, await axeFindings(page)]).toEqual([what, []]);
      expect([what, await overflowOf(page)]).toEqual([what, 0]);
    };
    await page.evaluate('location.hash = "#/key/g20AAAABaw"');
    await page.getByRole('button', { name: 'Show the stored state' }).click();
    await page.getByText('The state before').first().click();
    await check('the trail');
    await page.getByRole('button', { name: 'Edit' }).click();
    await check('the editor');
    const field = page.getByRole('textbox', { name: /^New state/ });
    await field.fill('{ "a": ');
    await page.getByText('This is no JSON yet').waitFor();
    await check('a text that is no JSON');
    await field.fill('{ "a": 1 }');
    await page.getByRole('button', { name: 'Replace the stored state…' }).click();
    await page.getByRole('dialog').waitFor();
    await check('the question');
    expect(await page.evaluate('window.pwned')).toBeUndefined();
    expect(complaints).toEqual([]);
    await close();
  });
});

test('what could not be done to a dead letter can be tried again', async () => {
  const { page, close } = await openPage(browser, url);
  await page.evaluate('location.hash = "#/letter/letter-7"');
  await page.getByRole('button', { name: 'Replay…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Replay' }).click();
  await page.getByText(/^Replay: .*are being read by another operator/).waitFor();
  expect(await page.getByRole('button', { name: 'Replay…' }).count()).toBe(1);
  await close();
});

test('who follows a link as soon as it is there gets there', async () => {
  const { page, close } = await openPage(browser, 'about:blank');
  await page.addInitScript(`new MutationObserver((_changes, observer) => {
    const link = document.querySelector('nav a[href="#/processes"]');
    if (link === null) return;
    observer.disconnect();
    link.click();
  }).observe(document, { childList: true, subtree: true });`);
  await page.goto(url);
  await page.getByRole('heading', { level: 1, name: 'Processes' }).waitFor();
  await close();
});

describe('by keyboard alone', () => {
  test('one comes to the content, to another view, and among the shards', async () => {
    const { page, close } = await openPage(browser, url);
    await page.getByRole('heading', { level: 1 }).waitFor();
    const focused = () => page.evaluate('document.activeElement.textContent.trim()');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('content');
    for (let step = 0; step < 3; step++) await page.keyboard.press('Shift+Tab');
    expect(await focused()).toBe('Shards');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Shards' }).waitFor();
    expect(await page.evaluate('document.activeElement.id')).toBe('content');
    await page.keyboard.press('Tab'); // The choice of the colour.
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('0');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await focused()).toBe('2');
    await page.keyboard.press('End');
    expect(await focused()).toBe('127');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Keys of shard 127' }).waitFor();
    await close();
  });

  test('a question begins at Cancel, ends by Escape, and gives the focus back', async () => {
    const { page, close } = await openPage(browser, url);
    await page.evaluate('location.hash = "#/key/g20AAAABaw"');
    await page.getByRole('button', { name: 'Deactivate…' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Cancel');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Deactivate…');
    await close();
  });
});

test('without a token it asks for it, refuses a wrong one, and keeps the right one out of the address', async () => {
  const [address, token] = url.split('#token=') as [string, string];
  const { page, close } = await openPage(browser, address);
  await page.getByLabel('Token').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByText('Give the token that the app logged').waitFor();
  expect(await axeFindings(page)).toEqual([]);
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: /cannot go on/ }).waitFor();
  expect(page.url()).not.toContain(token);
  await page.goto(url);
  await page.getByRole('heading', { name: /cannot go on/ }).waitFor();
  expect(page.url()).not.toContain(token);
  await close();
});

test('in a tab behind others it asks for nothing', async () => {
  const { page, close } = await openPage(browser, url);
  await page.getByText('Live', { exact: true }).waitFor();
  const hide = (hidden: boolean) =>
    page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'))`);
  const ended = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/live?'));
  await hide(true);
  await ended;
  await page.getByText('Paused', { exact: true }).waitFor();
  await hide(false);
  await page.getByText('Live', { exact: true }).waitFor();
  await close();
});
