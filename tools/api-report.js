/**
 * The API reports: what each published package exports, as text under `libs/<package>/api/`, so that a change of the
 * public surface shows as a change of a file. `npm run api` writes them, `npm run api:check` compares; both read `dist`.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CompilerState,
  ConsoleMessageId,
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
} from '@microsoft/api-extractor';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const checking = process.argv.includes('--check');
const temporary = mkdtempSync(join(tmpdir(), 'api-report-'));

/** Every entry that the published packages' `exports` name, so that a new package or entry has a report at once. */
function findEntries() {
  return readJson(join(root, 'package.json')).workspaces.flatMap((workspace) => {
    const folder = join(root, workspace);
    const manifest = readJson(join(folder, 'package.json'));
    if (manifest.private) return [];
    return Object.entries(manifest.exports ?? {}).flatMap(([subpath, target]) => {
      if (subpath.endsWith('.json')) return [];
      if (!target.types) fail(`${workspace}/package.json: the export "${subpath}" needs "types" to be reported.`);
      const name = [basename(workspace), ...subpath.split('/').slice(1)].join('.');
      return [{ folder, declarations: resolve(folder, target.types), report: join(folder, 'api', `${name}.api.md`) }];
    });
  });
}

function configOf({ folder, declarations, report }) {
  if (!existsSync(declarations)) fail(`${fromRoot(declarations)} is missing: run \`npm run build\` first.`);
  return ExtractorConfig.prepare({
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: declarations,
      compiler: { overrideTsconfig: { extends: join(root, 'tsconfig.base.json'), files: [declarations] } },
      apiReport: {
        enabled: true,
        // What is reachable without being exported is part of the surface too; it stands there without `export`.
        includeForgottenExports: true,
        reportFileName: basename(report),
        reportFolder: dirname(report),
        reportTempFolder: temporary,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      // Windows checks out what git says; the repository holds LF.
      newlineKind: 'lf',
      messages: {
        // The rules of TSDoc and of release tags are not this project's.
        extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, 'package.json'),
  });
}

/** Runs the extractor for all entries on one program, which is most of the time, and returns what differs. */
function runAll(entries) {
  const configs = entries.map(configOf);
  const [first] = configs;
  const compilerState = CompilerState.create(first, {
    additionalEntryPoints: configs.map((config) => config.mainEntryPointFilePath),
  });
  return entries.filter((entry, index) => {
    const isNew = !existsSync(entry.report);
    if (isNew && checking) return true;
    mkdirSync(dirname(entry.report), { recursive: true });
    const result = Extractor.invoke(configs[index], {
      compilerState,
      localBuild: !checking,
      printApiReportDiff: checking,
      messageCallback: (message) => tell(message, entry),
    });
    if (result.errorCount > 0) fail(`${fromRoot(entry.declarations)} could not be analyzed, see above.`);
    return result.apiReportChanged || isNew;
  });
}

/** Keeps the extractor quiet, but for errors and the difference of a report. */
function tell(message, { report }) {
  if (message.messageId === ConsoleMessageId.ApiReportDiff) console.error(`${fromRoot(report)}\n${message.text}`);
  message.handled = message.logLevel !== ExtractorLogLevel.Error;
}

/** Reports of packages and entries that are there no longer. */
function findLeftovers(entries) {
  const wanted = new Set(entries.map((entry) => entry.report));
  return readJson(join(root, 'package.json')).workspaces.flatMap((workspace) => {
    const folder = join(root, workspace, 'api');
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .map((file) => join(folder, file))
      .filter((file) => file.endsWith('.api.md') && !wanted.has(file));
  });
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function fromRoot(file) {
  return relative(root, file);
}

function fail(reason) {
  console.error(reason);
  process.exit(1);
}

process.on('exit', () => rmSync(temporary, { recursive: true, force: true }));

const entries = findEntries();
const changed = runAll(entries).map((entry) => entry.report);
const leftovers = findLeftovers(entries);
if (!checking) {
  leftovers.forEach((file) => rmSync(file));
  for (const file of [...changed, ...leftovers]) console.log(`${fromRoot(file)} has changed`);
} else if (changed.length + leftovers.length > 0) {
  for (const file of changed) console.error(`${fromRoot(file)} is not what the package exports.`);
  for (const file of leftovers) console.error(`${fromRoot(file)} belongs to nothing that is exported.`);
  fail('If the change of the public API is meant, run `npm run api` and commit the reports.');
}
