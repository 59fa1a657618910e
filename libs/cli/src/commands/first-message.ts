import type { KeyReport } from '@mississippi/core';
import type { Argv } from 'yargs';
import { shellWord } from '../output/shell-word.js';
import type { Context } from './context.js';

/** Which first message of a key is meant. */
export interface FirstMessageArguments {
  readonly messageId: string | undefined;
}

export function withFirstMessage<T>(argv: Argv<T>): Argv<T & FirstMessageArguments> {
  return argv.option('message-id', {
    type: 'string',
    requiresArg: true,
    describe: 'only if that is its first message',
  }) as unknown as Argv<T & FirstMessageArguments>;
}

/** The message that a command is about: the one that was named, else the one that came first when the command looked. */
export function firstOfKey(
  { messageId }: FirstMessageArguments,
  report: Pick<KeyReport, 'head'> | undefined,
): { messageId?: string } {
  const named = messageId ?? report?.head?.messageId;
  return named === undefined ? {} : { messageId: named };
}

/**
 * Makes certain that the message is meant which is given up. `--yes` alone does not say which: typed twice it would give up two.
 * @throws what {@link Context.confirm} does
 */
export async function confirmFirst(
  confirm: Context['confirm'],
  what: (first: string) => string,
  args: FirstMessageArguments & { readonly yes: boolean },
  report: Pick<KeyReport, 'head'>,
): Promise<void> {
  const { messageId } = firstOfKey(args, report);
  if (messageId === undefined) {
    const nameless = report.head !== undefined;
    await confirm(
      what(`the first message${nameless ? ', which has no id (asked twice, the next one too),' : ''}`),
      args.yes,
    );
  } else {
    const sure = args.yes && args.messageId !== undefined;
    await confirm(what(`the message ${messageId}`), sure, `${messageIdWords(messageId).trimStart()} --yes`);
  }
}

/** How a message is named on a command line, behind the key; nothing where it has no id. */
export function messageIdWords(messageId: string | undefined): string {
  if (messageId === undefined) return '';
  // What begins with a hyphen would be an option.
  return ` --message-id${messageId.startsWith('-') ? '=' : ' '}${shellWord(messageId)}`;
}
