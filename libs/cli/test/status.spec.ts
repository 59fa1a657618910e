import { Hints } from '../src/commands/hints.js';
import { keyLines } from '../src/commands/status.command.js';
import { Printer } from '../src/output/printer.js';
import type { CommonArguments } from '../src/settings/settings.js';
import { fakeTerminal } from './support/fake-terminal.js';

const printer = new Printer(fakeTerminal().terminal, false);
const hints = new Hints({} as CommonArguments);
const NOTHING = { keys: [], more: 0, unanswered: [] };

test('no key is said to be stuck only where somebody knows of all shards', () => {
  expect(keyLines(NOTHING, true, 0, printer, hints)).toEqual(['No key is stuck.']);
  expect(keyLines(NOTHING, false, 0, printer, hints).join()).toMatch(/nobody knows whether a key is stuck/);
  expect(keyLines(NOTHING, true, 8, printer, hints)).toEqual([
    '8 shards without an owner: whatever waits there is stuck, and not here.',
    'No other key is stuck.',
  ]);
});
