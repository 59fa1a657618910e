/**
 * The API reports: what each published package exports, as text under `libs/<package>/api/`, so that a change of the
 * public surface shows as a change of a file. `npm run api` writes them, `npm run api:check` compares; both read `dist`.
 *
 * Both also hold the exports to two rules: a type that an export needs is exported itself, and every export says by
 * `@publicApi` that users may touch it.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CompilerState,
  ConsoleMessageId,
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
  ExtractorMessageId,
} from '@microsoft/api-extractor';

// The compiler API that API Extractor brings: TypeScript 7.0 has none.
const ts = createRequire(createRequire(import.meta.url).resolve('@microsoft/api-extractor'))('typescript');

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const checking = process.argv.includes('--check');
const temporary = mkdtempSync(join(tmpdir(), 'api-report-'));

/**
 * Types that nobody needs to name: Nest's builder makes this base, of which `MississippiModule` overrides all methods, and
 * the extras are among the base's type arguments.
 */
const NAMELESS = new Set(['ConfigurableModuleClass', 'RegistrationExtras']);

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
      return [
        {
          name: manifest.name + subpath.slice(1),
          folder,
          declarations: resolve(folder, target.types),
          report: join(folder, 'api', `${name}.api.md`),
        },
      ];
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
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.None },
          [ExtractorMessageId.ForgottenExport]: { logLevel: ExtractorLogLevel.Error },
        },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, 'package.json'),
  });
}

/** Runs the extractor for all entries on one program, which is most of the time. */
function runAll(entries) {
  const configs = entries.map(configOf);
  const [first] = configs;
  const compilerState = CompilerState.create(first, {
    additionalEntryPoints: configs.map((config) => config.mainEntryPointFilePath),
  });
  const symbols = entries.map((entry) => exportsOf(entry, compilerState.program));
  const faults = entries.flatMap((entry, index) => symbols[index].filter(isUnmarked).map(lacksMark(entry)));
  const changed = entries.filter((entry, index) => {
    const isNew = !existsSync(entry.report);
    // What another entry of the same package exports can be named from there.
    const nameable = new Set(
      symbols
        .filter((_, other) => entries[other].folder === entry.folder)
        .flatMap((all) => all.map(({ name }) => name)),
    );
    if (isNew && checking) return true;
    mkdirSync(dirname(entry.report), { recursive: true });
    const result = Extractor.invoke(configs[index], {
      compilerState,
      localBuild: !checking,
      printApiReportDiff: checking,
      messageCallback(message) {
        const forgotten = forgottenExport(message);
        if (forgotten === undefined) tell(message, entry);
        else if (!NAMELESS.has(forgotten) && !nameable.has(forgotten)) {
          faults.push(
            `${entry.name} does not export ${forgotten}, which its types need${placeOf(message.sourceFilePath)}`,
          );
        }
      },
    });
    if (result.errorCount > 0) fail(`${fromRoot(entry.declarations)} could not be analyzed, see above.`);
    return result.apiReportChanged || isNew;
  });
  return { changed: changed.map((entry) => entry.report), faults };
}

/** The name in "The symbol ... needs to be exported"; the message is done with. */
function forgottenExport(message) {
  if (message.messageId !== 'ae-forgotten-export') return undefined;
  message.logLevel = ExtractorLogLevel.None; // It is told in our words, and counted with our faults.
  return /"(.+?)"/.exec(message.text)[1];
}

/** What an entry exports, each with the places where it is declared. */
function exportsOf({ declarations }, program) {
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(declarations));
  return checker.getExportsOfModule(module).map((symbol) => ({
    name: symbol.name,
    declared: (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol).declarations ?? [],
  }));
}

function isUnmarked({ declared }) {
  return !declared.some((node) => ts.getJSDocTags(node).some((tag) => tag.tagName.text === 'publicApi'));
}

function lacksMark(entry) {
  return ({ name, declared }) =>
    `${entry.name} exports ${name} without @publicApi in its docstring${placeOf(declared[0]?.getSourceFile().fileName)}`;
}

/** The source behind a declaration file of the build. */
function placeOf(file) {
  if (file === undefined) return '';
  const source = fromRoot(file).replace('/dist/', '/src/');
  return ` (${source.replace(/\.d\.ts$/, '.ts')})`;
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
const { changed, faults } = runAll(entries);
const leftovers = findLeftovers(entries);
for (const fault of faults) console.error(fault);
if (!checking) {
  leftovers.forEach((file) => rmSync(file));
  for (const file of [...changed, ...leftovers]) console.log(`${fromRoot(file)} has changed`);
} else if (changed.length + leftovers.length > 0) {
  for (const file of changed) console.error(`${fromRoot(file)} is not what the package exports.`);
  for (const file of leftovers) console.error(`${fromRoot(file)} belongs to nothing that is exported.`);
  fail('If the change of the public API is meant, run `npm run api` and commit the reports.');
}
if (faults.length > 0) process.exitCode = 1;
