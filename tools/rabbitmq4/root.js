import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Debian 13, whose RabbitMQ is 4.0.5 on Erlang/OTP 27. */
const SUITE = 'trixie';

/** What the tests call. */
const PROGRAMS = ['rabbitmq-server', 'rabbitmqctl', 'epmd'];

const INSIDE = fileURLToPath(new URL('inside.sh', import.meta.url));

/** Where what is made stays for the next call. */
export function cacheFolder() {
  const { MISSISSIPPI_CACHE, XDG_CACHE_HOME } = process.env;
  return MISSISSIPPI_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'mississippi');
}

/**
 * The folder with the programs of a Debian that has RabbitMQ 4, which is made at the first call.
 * @throws when it is not there and cannot be made here
 */
export function programsOfRoot() {
  const place = join(cacheFolder(), `rabbitmq-${SUITE}`);
  if (!existsSync(place)) make(place);
  return join(place, 'bin');
}

/** At its place only when it is whole: whoever is interrupted, or comes second, leaves the place as it is. */
function make(place) {
  const mirror = readyMirror();
  mkdirSync(dirname(place), { recursive: true });
  const unfinished = mkdtempSync(`${place}.`);
  try {
    console.log(
      `Making a Debian ${SUITE} with its RabbitMQ in ${place}, by debootstrap from ${mirror}; it takes minutes.`,
    );
    bootstrap(join(unfinished, 'root'), mirror);
    linkPrograms(unfinished);
    chmodSync(unfinished, 0o755);
    renameSync(unfinished, place);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(place)) throw error;
  }
}

/** debootstrap starts no service of what it installs; what it mounts goes with it, however it ends. */
function bootstrap(root, mirror) {
  const command = ['debootstrap', '--variant=minbase', '--include=rabbitmq-server', SUITE, root, mirror];
  const { status, stdout, stderr } = run('unshare', ['--mount', '--propagation', 'private', ...command]);
  if (status === 0) return;
  const lines = `${stdout}${stderr}`.trim().split('\n').slice(-20).join('\n');
  throw new Error(`${command.join(' ')} failed:\n${lines}`);
}

function linkPrograms(place) {
  const inside = join(place, 'inside');
  copyFileSync(INSIDE, inside);
  chmodSync(inside, 0o755);
  mkdirSync(join(place, 'bin'));
  for (const program of PROGRAMS) symlinkSync('../inside', join(place, 'bin', program));
}

/** The mirror of Debian that this machine uses, when all else that is needed is here. */
function readyMirror() {
  need(process.getuid?.() === 0, 'whoever calls is not root');
  need(succeeds('apt-get', '--version'), 'this system has no apt-get');
  need(succeeds('unshare', '--mount', 'true'), 'nothing may be mounted here (`unshare --mount` fails)');
  if (!succeeds('debootstrap', '--version')) {
    aptGet('update');
    aptGet('install', '-y', '--no-install-recommends', 'debootstrap');
  }
  if (mirrors().length === 0) aptGet('update'); // apt tells of no source whose index it has not fetched.
  const [mirror] = mirrors();
  need(mirror !== undefined, 'the sources of apt have no mirror of Debian');
  return mirror;
}

/** Those of Debian's archive itself, as apt has verified them; not of its updates or backports. */
function mirrors() {
  const format = '$(LABEL) $(CODENAME) $(REPO_URI)';
  const { stdout } = run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  const lines = (stdout ?? '').split('\n').map((line) => line.split(' '));
  return lines.filter(([label, codename]) => label === 'Debian' && !codename.includes('-')).map(([, , uri]) => uri);
}

function need(isSo, otherwise) {
  if (isSo) return;
  throw new Error(
    `There is no RabbitMQ 4 here, and none can be made: ${otherwise}. Give the folder of its rabbitmq-server and rabbitmqctl in ` +
      `MISSISSIPPI_RABBITMQ_BIN, or call this as root on a Debian.`,
  );
}

function aptGet(...args) {
  const { status, stdout, stderr } = run('apt-get', ['-q', ...args], { DEBIAN_FRONTEND: 'noninteractive' });
  if (status !== 0) throw new Error(`apt-get ${args.join(' ')} failed:\n${stdout}${stderr}`);
}

function succeeds(command, ...args) {
  return run(command, args).status === 0;
}

function run(command, args, env = {}) {
  return spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 });
}
