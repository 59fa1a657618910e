import type { Browser } from 'playwright-core';
import { type FlightsApp, openFlights } from './support/flights-app.js';
import { launch, type OpenPage, openPage } from './support/open-page.js';

let browser: Browser;
let flights: FlightsApp;
let opened: OpenPage;

beforeAll(async () => {
  browser = await launch();
});
afterAll(async () => {
  await browser.close();
});
beforeEach(async () => {
  flights = await openFlights();
  opened = await openPage(browser, flights.url);
});
afterEach(async () => {
  await opened.close();
  flights.trouble.release();
  await flights.app.close();
  expect(opened.complaints).toEqual([]);
});

test('a poison message parks its airport; found and freed by clicks, and every airport is right', async () => {
  const { page } = opened;
  const { trouble } = flights;
  [trouble.poisoned, trouble.pace] = ['BOS', 3];
  const replayed = flights.replay();
  await page.getByRole('heading', { name: '1 key cannot go on: 1 parked' }).waitFor();
  await page
    .getByText(/^[\d,]{2,}\/s$/)
    .first()
    .waitFor(); // The others go on.
  await page.getByRole('region', { name: 'Stuck keys' }).last().getByRole('link', { name: '"BOS"' }).click();
  await page.getByText('TypeError: the runway of flight').first().waitFor();
  expect(await page.getByLabel('Stack of the last error').textContent()).toContain('flights-app.ts');
  trouble.poisoned = undefined;
  await page.getByRole('button', { name: 'Resume…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
  await page.getByText('Resume: "BOS": done.').waitFor();
  trouble.pace = 0;
  await replayed;
  const { airports, verified, mismatches } = await flights.verify();
  expect([mismatches, verified]).toEqual([[], airports]);
  await page.getByRole('link', { name: 'Overview' }).click();
  await page.getByRole('heading', { name: 'Every key moves' }).waitFor();
});

test('a flight that can never be handled is got rid of as the page says, and what was done is put away by one click', async () => {
  const { page } = opened;
  flights.trouble.poisoned = 'BOS';
  const replayed = flights.replay();
  await page.getByRole('heading', { name: '1 key cannot go on: 1 parked' }).waitFor();
  const keys = page.getByRole('region', { name: 'Stuck keys' }).first();
  expect((await keys.boundingBox())!.y).toBeLessThan((await page.locator('.figures').boundingBox())!.y);
  await keys.getByRole('link', { name: '"BOS"' }).click();
  await page.getByText('It was parked because its first message failed at each attempt').waitFor();
  expect(await page.locator('dl dd').allTextContents()).not.toContain('–');
  for (const label of ['Drop the first message', 'Resume']) {
    await page.getByRole('button', { name: `${label}…` }).click();
    await page.getByRole('dialog').getByRole('button', { name: label }).click();
    await page.getByText(`${label}: "BOS": done.`).waitFor();
  }
  await replayed;
  await page.getByText('Moves').waitFor();
  await page.getByRole('button', { name: 'Close all 2' }).click();
  expect(await page.getByRole('log').textContent()).toBe('');
});

test('a key of which nothing is here is named', async () => {
  const { page } = opened;
  await page.getByRole('link', { name: 'Keys', exact: true }).first().click();
  await page.getByLabel('Open a key').fill('<b>nobody</b>');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: '"<b>nobody</b>"' }).waitFor();
  await page.getByText('Nothing of it is in memory or parked.').waitFor();
});

test('a handler that hangs and a key that somebody paused are found, and go on', async () => {
  const { page } = opened;
  const { trouble, operator } = flights;
  [trouble.hanging, trouble.pace] = ['SEA', 1];
  await operator.pause('MIA');
  const replayed = flights.replay();
  await page.getByRole('heading', { name: /2 keys cannot go on: (1 hanging, 1 parked|1 parked, 1 hanging)/ }).waitFor();
  await page.getByRole('link', { name: '"SEA"' }).first().click();
  await page.getByText('handleMessage, for').waitFor();
  await page.getByText('No action ends a callback that runs').waitFor();
  trouble.release();
  await page.getByText('Moves').waitFor();
  await page.getByRole('link', { name: 'Keys', exact: true }).first().click();
  await page.getByRole('link', { name: '"MIA"' }).click();
  await page.getByRole('button', { name: 'Resume…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
  trouble.pace = 0;
  await replayed;
  const { airports, verified } = await flights.verify();
  expect(verified).toBe(airports);
});

test('a shard that stands still is found with the key that blocks it, and goes on', async () => {
  await opened.close();
  await flights.app.close();
  flights = await openFlights({ sideQueueLimit: 20 });
  opened = await openPage(browser, flights.url);
  const { page } = opened;
  flights.trouble.poisoned = 'BOS';
  const replayed = flights.replay();
  await page.getByText(/^The side queue of shard \d+ is full/).waitFor();
  await page.getByRole('heading', { name: '1 key cannot go on: 1 side queue full' }).waitFor();
  await page.getByRole('link', { name: '"BOS"' }).first().click();
  flights.trouble.poisoned = undefined;
  await page.getByRole('button', { name: 'Resume…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
  await replayed;
  const { airports, verified } = await flights.verify();
  expect(verified).toBe(airports);
});

test('a message is dropped, found among the dead letters and replayed', async () => {
  const { page } = opened;
  flights.trouble.poisoned = 'BOS';
  const replayed = flights.replay();
  await page.getByRole('link', { name: '"BOS"' }).first().click();
  await page.getByRole('button', { name: 'Drop the first message…' }).click();
  await page.getByText('This cannot be undone.').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Drop the first message' }).click();
  await page.getByText('Drop the first message: "BOS": done.').waitFor();
  await page.getByRole('button', { name: 'Resume…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
  await replayed;
  await page.getByRole('link', { name: 'Dead letters of this key' }).click();
  await page.getByRole('link', { name: /^browser:/ }).click();
  expect(await page.locator('pre[aria-label=Payload]').textContent()).toContain('"origin": "BOS"');
  flights.trouble.poisoned = undefined;
  await page.getByRole('button', { name: 'Replay…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Replay' }).click();
  await page.getByText(/^Replay: browser:\d+: done\.$/).waitFor();
  expect((await flights.operator.deadLetters()).total).toBe(0);
});

test('whoever is asked about a message drops that one, and no other that comes first meanwhile', async () => {
  const { page } = opened;
  const { operator } = flights;
  flights.trouble.poisoned = 'BOS';
  const replayed = flights.replay();
  await page.getByRole('link', { name: '"BOS"' }).first().click();
  await page.getByRole('button', { name: 'Drop all parked messages…' }).waitFor(); // It is held.
  await page.getByRole('button', { name: 'Drop the first message…' }).click();
  await page.getByRole('dialog').waitFor();
  const next = (await operator.drop('BOS'))!.head!.messageId!;
  await page.getByText(next, { exact: true }).first().waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Drop the first message' }).click();
  await page.getByText(`does not come first at the key "BOS": ${next} does.`).waitFor();
  expect((await operator.key('BOS'))!.head!.messageId).toBe(next);
  flights.trouble.poisoned = undefined;
  await operator.resume('BOS');
  await replayed;
});

test('keys, payloads and errors that are markup are text in every view', async () => {
  const { page } = opened;
  const { producer, operator, trouble } = flights;
  const key = '"><img src=x onerror=window.pwned=1><script>window.pwned=1</script>';
  await operator.pause(key);
  const flight = { row: 1, date: '2001/01/01 00:01', delay: 0, distance: 1, origin: key, destination: 'XXX' };
  trouble.poisoned = undefined;
  await producer.publish(flight, { shardingKey: key, messageId: '<b>7</b>', headers: { '<u>': '<i>header</i>' } });
  await page.getByRole('link', { name: key }).first().click();
  await page.getByRole('heading', { name: key }).waitFor();
  await page.getByRole('button', { name: 'Drop all parked messages…' }).click();
  await page.getByRole('dialog').getByText(key).waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Drop all parked messages' }).click();
  await page.getByText(`${key}": done.`).waitFor();
  await page.getByRole('link', { name: 'Dead letters of this key' }).click();
  await page.getByRole('link', { name: '<b>7</b>' }).click();
  await page.getByRole('heading', { name: '<b>7</b>' }).waitFor();
  expect(await page.locator('pre[aria-label=Payload]').textContent()).toContain('<img src=x onerror=window.pwned=1>');
  expect(await page.locator('pre[aria-label=Headers]').textContent()).toContain('<i>header</i>');
  expect(await page.evaluate('window.pwned')).toBeUndefined();
  expect(await page.locator('main img, main script, main b, main i, main u').count()).toBe(0);
});
