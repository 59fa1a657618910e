/**
 * Publishes every package in the version of the root, those first that others need: `npm run publish:packages`, in the
 * release workflow, with `--dry-run` anywhere. What npm has already is left out, so that a run that failed half-way is run
 * again. A version with a hyphen gets the tag `next`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packAll } from './pack.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const dryRun = process.argv.includes('--dry-run');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const tag = process.env.GITHUB_REF_NAME;

if (!dryRun && tag !== `v${version}`) {
  console.error(`The packages are ${version}, and the tag is ${tag}: publish from the tag v${version}.`);
  process.exit(1);
}
const tarballs = mkdtempSync(join(tmpdir(), 'mississippi-publish-'));
process.on('exit', () => rmSync(tarballs, { recursive: true }));
for (const { manifest, tarball } of packAll(tarballs)) {
  if (isPublished(`${manifest.name}@${version}`)) {
    console.log(`${manifest.name}@${version} is published already`);
    continue;
  }
  const channel = version.includes('-') ? 'next' : 'latest';
  const flags = ['--access', 'public', '--tag', channel, ...(dryRun ? ['--dry-run'] : ['--provenance'])];
  const { status } = spawnSync('npm', ['publish', tarball, ...flags], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  console.log(`${manifest.name}@${version} ${dryRun ? 'would be published' : 'is published'} as ${channel}`);
}

function isPublished(specifier) {
  const { status, stdout } = spawnSync('npm', ['view', specifier, 'version'], { encoding: 'utf8' });
  return status === 0 && stdout.trim() === version;
}
