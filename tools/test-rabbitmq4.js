/**
 * The suites that need a broker, and a minute of chaos on each type of queue, on RabbitMQ 4: `npm run test:rabbitmq4`.
 *
 * - `mnesia`: as it comes
 * - `khepri`: with the feature flag `khepri_db`
 * - `denied`: so, and with every deprecated feature denied
 *
 * Some of them: `npm run test:rabbitmq4 -- khepri denied`. What follows `--` goes to Jest, and then there is no chaos:
 * `npm run test:rabbitmq4 -- mnesia -- --testPathPatterns wire`.
 *
 * RabbitMQ is the one in the folder `MISSISSIPPI_RABBITMQ_BIN`, or the one that is installed where that is 4 or newer. Else a
 * Debian that has it is made once in a folder of its own, see `rabbitmq4/root.js`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chooseRelease } from './rabbitmq4/programs.js';
import { featuresOf, SETTINGS, variablesOf, verify } from './rabbitmq4/settings.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const QUEUES = ['classic', 'quorum'];

const { names, jestArguments } = argumentsOf(process.argv.slice(2));
delete process.env.MISSISSIPPI_AMQP_URL; // All brokers are ours.
const outcomes = [];
const scratch = mkdtempSync(join(tmpdir(), 'mississippi-rabbitmq4-'));
// What ends a node keeps no event loop alive.
const alive = setInterval(() => undefined, 1_000);
try {
  const release = chooseRelease();
  if (!npm('build')) throw new Error('the build failed');
  const { RabbitMqNode } = await import(join(root, 'chaos/dist/support/rabbitmq-node.js'));
  const start = () => RabbitMqNode.start();
  const features = await featuresOf(start);
  for (const setting of SETTINGS.filter(({ name }) => names.length === 0 || names.includes(name))) {
    Object.assign(process.env, variablesOf(setting, features, scratch));
    await verify(setting, features, start);
    outcomes.push(...runAll(`RabbitMQ ${release}, ${setting.name}`));
  }
} catch (error) {
  outcomes.push(`failed: ${error instanceof Error ? error.message : String(error)}`);
} finally {
  clearInterval(alive);
  rmSync(scratch, { recursive: true });
}
for (const outcome of outcomes) console.log(outcome);
process.exitCode = outcomes.some((outcome) => outcome.startsWith('failed')) ? 1 : 0;

/** All, though some fail: what fails on one setting alone tells more. */
function runAll(where) {
  const suites = () => npm('jest', '--selectProjects', 'rabbitmq', 'long', ...jestArguments);
  const chaos = (queues) => node('chaos/dist/main.js', '--minutes', '1', '--queues', queues);
  const told = (what, run) => {
    console.log(`\n${where}: ${what}`);
    return `${run() ? 'passed' : 'failed'}: ${where}, ${what}`;
  };
  const outcomes = [told('suites', suites)];
  if (jestArguments.length > 0) return outcomes;
  return [...outcomes, ...QUEUES.map((queues) => told(`chaos on ${queues} queues`, () => chaos(queues)))];
}

function argumentsOf(given) {
  const end = given.includes('--') ? given.indexOf('--') : given.length;
  const names = given.slice(0, end);
  const known = SETTINGS.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return { names, jestArguments: given.slice(end + 1) };
  console.error(`Unknown setting '${unknown.join(' ')}': use ${known.join(', ')}.`);
  process.exit(2);
}

function npm(script, ...args) {
  return succeeds('npm', ['run', '--silent', script, '--', ...args]);
}

function node(...args) {
  return succeeds(process.execPath, args);
}

function succeeds(command, args) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status === 0;
}
