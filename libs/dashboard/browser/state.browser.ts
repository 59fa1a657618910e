import type { Browser, Page } from 'playwright-core';
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
  await flights.replay();
});
afterEach(async () => {
  await opened.close();
  await flights.app.close();
  expect(opened.complaints).toEqual([]);
});

const focused = (page: Page) => page.evaluate('document.activeElement.textContent.trim()');
const shown = (page: Page) => page.locator('pre[aria-label="Stored state"]');
const stateIn = async (page: Page) => JSON.parse((await shown(page).textContent())!) as { departures: number };

/** Comes to the stored state of Boston's airport. */
async function showState(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Keys', exact: true }).first().click();
  await page.getByLabel('Open a key').fill('BOS');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: '"BOS"' }).waitFor();
  await page.getByRole('button', { name: 'Show the stored state' }).focus();
  await page.keyboard.press('Enter');
  await shown(page).waitFor();
}

/** Answers the question that is asked. */
async function sign(page: Page, by: string, reason: string, label: string): Promise<void> {
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Who does it').fill(by);
  await dialog.getByLabel('Why').fill(reason);
  await dialog.getByRole('button', { name: label }).click();
}

test('a state is edited by keyboard alone, found in the trail and restored, and every airport is right', async () => {
  const { page } = opened;
  await showState(page);
  const before = await stateIn(page);
  await page.keyboard.press('Tab'); // From where showing it has left the focus.
  expect(await focused(page)).toBe('Edit');
  await page.keyboard.press('Enter');
  await page.locator('#new-state:focus').waitFor();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(JSON.stringify({ ...before, departures: 1 }));
  await page.keyboard.press('Tab');
  expect(await focused(page)).toBe('Replace the stored state…');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.type('ann');
  await page.keyboard.press('Enter'); // Without a reason nothing is done, and it is asked for.
  await page.keyboard.type('<b>ticket</b> 12');
  await page.keyboard.press('Enter');
  await page.getByText('Replace the stored state: "BOS": done.').waitFor();
  await page.getByText('Replaced by ann: <b>ticket</b> 12').waitFor();
  await page.locator('button:focus').getByText('Look again').waitFor();
  expect((await stateIn(page)).departures).toBe(1);
  await page.getByRole('button', { name: 'Restore…' }).click();
  expect(await page.getByRole('dialog').getByLabel('Who does it').inputValue()).toBe('ann');
  await sign(page, 'ann', 'a mistake', 'Restore');
  await page.getByText('Replaced by ann: a mistake').waitFor();
  expect(await stateIn(page)).toEqual(before);
  const { airports, verified, mismatches } = await flights.verify();
  expect([mismatches, verified]).toEqual([[], airports]);
});

test('who edits a state that has changed meanwhile is told, keeps what he wrote, and begins again', async () => {
  const { page } = opened;
  const { operator } = flights;
  await showState(page);
  await page.getByRole('button', { name: 'Edit' }).click();
  const field = page.getByRole('textbox', { name: /^New state/ });
  await field.fill('{ "mine": true }');
  const { version } = (await operator.state('BOS'))!;
  await operator.editState('BOS', { others: true }, { version, by: 'bob', reason: 'faster' });
  const replace = async () => {
    await page.getByRole('button', { name: 'Replace the stored state…' }).click();
    await sign(page, 'ann', 'slower', 'Replace the stored state');
  };
  await replace();
  await page
    .getByRole('alert')
    .getByText(/has the version \d+, and the version \d+ was named/)
    .waitFor();
  await page.getByRole('button', { name: 'Look again' }).click();
  await page.getByText('The state has changed since you began').waitFor();
  expect(await page.getByRole('alert').count()).toBe(0);
  expect(await field.inputValue()).toBe('{ "mine": true }');
  await replace(); // What was shown since does not count.
  await page.getByRole('alert').waitFor();
  expect((await operator.state('BOS'))!.state).toEqual({ others: true });
  await page.getByRole('button', { name: /^Begin again with version/ }).click();
  expect(JSON.parse(await field.inputValue())).toEqual({ others: true });
  await field.fill('{ "mine": true }');
  await replace();
  await page.getByText('Replaced by ann: slower').waitFor();
  expect((await operator.state('BOS'))!.state).toEqual({ mine: true });
});

test('a state is forgotten after a question', async () => {
  const { page } = opened;
  await showState(page);
  await page.getByRole('button', { name: 'Forget the stored state…' }).click();
  await page.getByRole('dialog').getByText('the one that init makes').waitFor();
  await sign(page, 'ann', 'ticket 12', 'Forget the stored state');
  await page.getByText('None is stored.').waitFor();
  await page.getByText('Forgotten by ann: ticket 12').waitFor();
  expect(await flights.operator.state('BOS')).toBeUndefined();
});
