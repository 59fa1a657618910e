import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Where distributions put it. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The environment variable that names another one, and by which the tests are told. */
export const CHROMIUM = 'CHROMIUM';

/** @throws when there is none, and none can be installed: then nothing is known about the page */
export default function findChromium(): void {
  process.env[CHROMIUM] = process.env[CHROMIUM] ?? installed() ?? installedNow();
}

function installed(): string | undefined {
  return PLACES.find((path) => existsSync(path));
}

/** On Debian, by whoever may. */
function installedNow(): string {
  process.stdout.write('No Chromium was found; apt-get installs one.\n');
  const run = (...args: string[]) => spawnSync('apt-get', args, { encoding: 'utf8' });
  run('update', '-qq');
  const { error, stderr } = run('install', '-y', '-qq', '--no-install-recommends', 'chromium');
  const found = installed();
  if (found !== undefined) {
    execFileSync(found, ['--version']);
    return found;
  }
  throw new Error(
    `The dashboard was not tested in a browser: there is no Chromium, and apt-get could not install one (${error?.message ?? stderr.trim().split('\n').at(-1)}). Install it, or name one by the environment variable ${CHROMIUM}.`,
  );
}
