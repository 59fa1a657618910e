import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { CHROMIUM } from './chromium-setup.js';

/** How long something may take to be seen. The limit is for machines that are busy with other things. Milliseconds. */
const PATIENCE = 120_000;

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export function launch(): Promise<Browser> {
  // As root, as in a container, Chromium has no sandbox of its own.
  return chromium.launch({ executablePath: process.env[CHROMIUM]!, args: ['--no-sandbox', '--disable-gpu'] });
}

/** A page, and whatever it complains of. */
export interface OpenPage {
  readonly page: Page;
  /** Errors of its scripts, and what the content security policy has refused. */
  readonly complaints: readonly string[];
  readonly close: () => Promise<void>;
}

export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB', ...options });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('request', (request) => {
    if (new URL(request.url()).host !== new URL(url).host && !request.url().startsWith('data:')) {
      complaints.push(`asks ${request.url()}`);
    }
  });
  await page.goto(url);
  return { page, complaints, close: () => context.close() };
}

/** What axe finds, with what it found it at. */
export async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: AxeLike };
    const { violations } = await axe.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`);
  });
}

interface AxeLike {
  run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
}

/** How much wider the page is than its window. Pixels. */
export function overflowOf(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}
