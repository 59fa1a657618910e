import type { Check, Finding } from '../doctor/finding.js';
import { withoutCredentials } from '../settings/secrets.js';
import { EXIT } from '../exit-codes.js';
import { counted } from '../output/amounts.js';
import { shown, wrapped } from '../output/plain-text.js';
import type { Printer } from '../output/printer.js';
import type { Commands } from './context.js';
import type { AnyCommand } from './group.js';
import type { Hints } from './hints.js';
import { numberOption } from './number-option.js';

const MARKS: Readonly<Record<Finding['level'], string>> = { error: '✗', warning: '!', note: 'i' };
const WIDEST = 110;
const INDENT = 8;

export function doctorCommand(commands: Commands): AnyCommand {
  return commands.command<{ sideQueueLimit: number }>(
    'doctor',
    'what is wrong with broker, queues, rights, processes, store and policies, and what to do',
    (argv) =>
      argv.option(
        'side-queue-limit',
        numberOption('side-queue-limit', "the app's sideQueueLimit", { default: 10_000 }),
      ),
    async ({ sideQueueLimit }, { settings, printer, progress, hints }) => {
      const { examine } = await import('../doctor/examine.js');
      const checks = await examine(await settings(), {
        sideQueueLimit,
        next: (name) => progress.show(`looking at ${name}`),
      });
      progress.clear();
      const wrong = checks.flatMap(({ findings }) => findings).filter(({ level }) => level !== 'note').length;
      printer.answer({ wrong, checks }, () => report(checks, wrong, printer, hints));
      return wrong === 0 ? EXIT.ok : EXIT.wrong;
    },
  );
}

function report(checks: readonly Check[], wrong: number, printer: Printer, hints: Hints): string[] {
  const { paint } = printer;
  const findings = checks.flatMap((check) => check.findings);
  const fine = checks
    .filter((check) => check.findings.length === 0 && check.skipped === undefined)
    .map(({ name }) => name);
  return [
    ...findings.toSorted(byLevel).flatMap((finding) => lines(finding, printer, hints)),
    ...(fine.length === 0 ? [] : [`${paint.green('✓')} ${fine.join(', ')}`]),
    ...checks.flatMap(({ name, skipped }) => (skipped === undefined ? [] : [paint.dim(`- ${name}: ${skipped}`)])),
    wrong === 0 ? paint.green('Nothing is wrong.') : paint.red(`${counted(wrong, 'thing is', 'things are')} wrong.`),
  ];
}

function lines({ level, what, why, todo, command }: Finding, { paint, columns }: Printer, hints: Hints): string[] {
  const colour = level === 'error' ? 'red' : level === 'warning' ? 'yellow' : 'dim';
  const width = Math.min(columns, WIDEST) - INDENT;
  const part = (name: string, text: string): string[] =>
    wrapped(shown(withoutCredentials(text)), width).map(
      (line, index) => `  ${index === 0 ? paint.dim(name.padEnd(INDENT - 2)) : ' '.repeat(INDENT - 2)}${line}`,
    );
  const [first = '', ...more] = wrapped(shown(withoutCredentials(what)), Math.min(columns, WIDEST) - 2);
  return [
    paint[colour](`${MARKS[level]} ${first}`),
    ...more.map((line) => paint[colour](`  ${line}`)),
    ...part('why', why),
    ...part('do', todo),
    ...(command === undefined ? [] : [`  ${' '.repeat(INDENT - 2)}${hints.command(command)}`]),
  ];
}

const ORDER: readonly Finding['level'][] = ['error', 'warning', 'note'];

function byLevel(a: Finding, b: Finding): number {
  return ORDER.indexOf(a.level) - ORDER.indexOf(b.level);
}
