import { build, Child } from './support/child.js';

const WARNING = 'Shutdown hooks are not enabled';

let child: Child | undefined;

beforeAll(build, 120_000);

afterEach(async () => {
  child?.kill('SIGKILL');
  await child?.end();
});

test('a SIGTERM lets the running handler finish, then terminates it, then ends the process', async () => {
  child = new Child('draining-app.mjs', 'hooks');
  await child.line('running');
  child.kill('SIGTERM');
  await child.line('told to end');
  child.go();
  expect(await child.end()).toEqual([null, 'SIGTERM']);
  expect(child.lines).toEqual(['running', 'told to end', 'handled', 'terminated: shutdown', 'database destroyed']);
}, 30_000);

test('without shutdown hooks a SIGTERM ends the handler in the middle, of which the app warned', async () => {
  child = new Child('draining-app.mjs');
  await child.line('running');
  await child.line(WARNING);
  child.kill('SIGTERM');
  expect(await child.end()).toEqual([null, 'SIGTERM']);
  expect(child.lines.filter((line) => !line.includes(WARNING))).toEqual(['running']);
}, 30_000);

test('no bad input becomes an unhandled rejection, an uncaught exception or a warning of the process', async () => {
  child = new Child('bad-input.mjs');
  expect(await child.end()).toEqual([0, null]);
  expect(child.lines).toEqual(['refused: 20', 'dead letters: 13', 'done']);
}, 30_000);

test('without class-transformer and class-validator an app runs, and a payload class asks for them by name', async () => {
  child = new Child('without-class-packages.mjs');
  expect(await child.end()).toEqual([0, null]);
  expect(child.lines).toEqual([
    'handled {"number":14}',
    'missing_package: The payload class Flight needs class-transformer and class-validator, which are not installed: ' +
      `run npm install class-transformer class-validator, or give a schema of another library or 'json' as the payload.`,
  ]);
}, 30_000);
