import { Context } from '../src/commands/context.js';
import { InterruptedError } from '../src/errors.js';
import type { CommonArguments } from '../src/settings/settings.js';
import { fakeTerminal } from './support/fake-terminal.js';

test('a question shows what a terminal would obey: the id of a message may be anybody’s', async () => {
  const { terminal } = fakeTerminal({}, { isTty: true });
  const asked: string[] = [];
  const ask = (question: string): Promise<string> => {
    asked.push(question);
    return Promise.resolve('no');
  };
  const context = new Context({ ...terminal, ask }, { json: false } as CommonArguments);
  const confirmed = context.confirm('This gives the message \u001b[2A\u001b[2K\u202e7 up.', false);
  await expect(confirmed).rejects.toThrow(InterruptedError);
  expect(asked).toEqual(['This gives the message \\u001b[2A\\u001b[2K\\u202e7 up. Type yes to go on: ']);
});
