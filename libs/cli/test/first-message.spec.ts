import { Context } from '../src/commands/context.js';
import { confirmFirst, firstOfKey, messageIdWords } from '../src/commands/first-message.js';
import { Hints } from '../src/commands/hints.js';
import { remedies } from '../src/commands/key-table.js';
import type { CommonArguments } from '../src/settings/settings.js';
import { fakeTerminal } from './support/fake-terminal.js';

const GIVEN = { json: false } as CommonArguments;
const NAMED = { head: { messageId: 'a b', type: undefined } };
const NAMELESS = { head: { messageId: undefined, type: undefined } };
const what = (first: string): string => `This gives ${first} up.`;

type Args = Parameters<typeof confirmFirst>[2];

const confirmed = (args: Partial<Args>, report: Parameters<typeof confirmFirst>[3]): Promise<void> => {
  const { confirm } = new Context(fakeTerminal().terminal, GIVEN);
  return confirmFirst(confirm, what, { messageId: undefined, yes: false, ...args }, report);
};

describe('where nobody can be asked', () => {
  test.each([{}, { yes: true }, { messageId: 'a b' }])(
    'a message is given up that was named and confirmed, and else the words say how: %j',
    async (args) => {
      await expect(confirmed(args, NAMED)).rejects.toThrow(
        "This gives the message a b up. Add --message-id 'a b' --yes if that is what you want.",
      );
    },
  );

  test('what was named and confirmed is sure, whatever comes first: the owner refuses another', async () => {
    await expect(confirmed({ messageId: 'other', yes: true }, NAMED)).resolves.toBeUndefined();
  });

  test('a message without an id cannot be named, and the words say what that means', async () => {
    await expect(confirmed({}, NAMELESS)).rejects.toThrow(
      'This gives the first message, which has no id (asked twice, the next one too), up. Add --yes if that is what you want.',
    );
    await expect(confirmed({ yes: true }, NAMELESS)).resolves.toBeUndefined();
  });
});

test('a command is about the message that was named, else the one that came first when it looked', () => {
  expect(firstOfKey({ messageId: 'x' }, NAMED)).toEqual({ messageId: 'x' });
  expect(firstOfKey({ messageId: undefined }, NAMED)).toEqual({ messageId: 'a b' });
  expect(firstOfKey({ messageId: undefined }, NAMELESS)).toEqual({});
  expect(firstOfKey({ messageId: undefined }, undefined)).toEqual({});
});

test('an id that begins with a hyphen is no option', () => {
  expect([messageIdWords('-x'), messageIdWords('x'), messageIdWords(undefined)]).toEqual([
    " --message-id='-x'",
    ' --message-id x',
    '',
  ]);
});

test('what is proposed for a parked key names its first message', () => {
  const report = { ...NAMED, key: 'k', text: '"k"', trouble: 'parked', parkedState: 'held' };
  const commands = remedies(report as Parameters<typeof remedies>[0], new Hints(GIVEN)).map(([command]) => command);
  expect(commands).toEqual([
    "mississippi keys retry k --message-id 'a b'",
    "mississippi keys drop k --message-id 'a b'",
    "mississippi keys drop-all k --message-id 'a b'",
    'mississippi keys resume k',
  ]);
});
