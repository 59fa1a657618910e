import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { countFlight } from '../src/airport-statistics.js';
import { isStore, StatisticsStore, StoreError } from '../src/statistics.store.js';
import { flight } from './flights.js';

describe('Statistics in a folder', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'flights store-'));
  });

  afterEach(async () => rm(folder, { recursive: true }));

  it('are there again when it is opened again, by its path or its url', async () => {
    const counted = countFlight(undefined, flight({ row: 1, delay: 7 }));
    const first = await StatisticsStore.open(path.join(folder, 'new'));
    await first.save(counted);
    expect(await first.load('ORD')).toEqual(counted);
    expect(await first.load('DFW')).toBeUndefined();
    await first.onApplicationShutdown();

    const second = await StatisticsStore.open(pathToFileURL(path.join(folder, 'new')).href.replace('file:', 'level:'));
    expect(await second.load('ORD')).toEqual(counted);
    await second.onApplicationShutdown();
  });

  it('belong to one process at a time', async () => {
    const first = await StatisticsStore.open(folder);
    await expect(StatisticsStore.open(folder)).rejects.toThrow(StoreError);
    await expect(StatisticsStore.open(folder)).rejects.toThrow('is in use by another process');
    await first.onApplicationShutdown();
  });

  it('are refused in one line where there can be no folder', async () => {
    const file = path.join(folder, 'file');
    await writeFile(file, '');
    await expect(StatisticsStore.open(path.join(file, 'below'))).rejects.toThrow(
      /^The store .* cannot be opened [^\n]+$/,
    );
    await expect(StatisticsStore.open(file)).rejects.toThrow(/^The store .* cannot be opened [^\n]+$/);
  });

  it('fail to be saved when the folder is closed', async () => {
    const store = await StatisticsStore.open(folder);
    await store.onApplicationShutdown();
    await expect(store.save(countFlight(undefined, flight({ row: 1 })))).rejects.toThrow('not open');
  });
});

describe('The name of a store', () => {
  it.each(['memory', './here', '/tmp/there', '../up', 'a/b', 'level:///tmp/there', 'redis://localhost:6379'])(
    'may be %s',
    (name) => expect(isStore(name)).toBe(true),
  );

  it.each([
    '',
    'memroy',
    'level://',
    'level:///',
    'level://relative/path',
    'mongodb://localhost',
    'redis:',
    'file:///tmp',
  ])('may not be %j', (name) => expect(isStore(name)).toBe(name === 'redis:'));
});
