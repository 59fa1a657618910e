import { randomUUID } from 'node:crypto';
import type { MessageHeaders } from '@mississippi/core/transport';
import { UsageError } from '../errors.js';
import { shown } from '../output/plain-text.js';
import type { Commands } from './context.js';
import { findKey } from './find-key.js';
import type { AnyCommand } from './group.js';
import { withKey } from './options.js';
import { payloadOf, PAYLOAD_FORMATS, type PayloadArgument } from './payload-argument.js';
import type { KeyType } from '../keys/key-argument.js';

interface PublishArguments extends PayloadArgument {
  readonly key: string;
  readonly keyType: KeyType;
  readonly type: string | undefined;
  readonly messageId: string | undefined;
  readonly header: readonly string[];
}

export function publishCommand(commands: Commands): AnyCommand {
  return commands.command<PublishArguments>(
    'publish <key> <payload>',
    'publish one message, and wait until the broker has taken it',
    (argv) =>
      withKey(argv)
        .positional('payload', {
          type: 'string',
          demandOption: true,
          describe: 'JSON unless --format says otherwise; - reads it from the standard input',
        })
        .option('format', { choices: PAYLOAD_FORMATS, default: 'json', describe: 'what the payload is' })
        .option('type', { type: 'string', describe: 'the message type' })
        .option('message-id', { type: 'string', describe: 'default a random UUID' })
        .option('header', {
          type: 'string',
          array: true,
          default: [],
          requiresArg: true,
          nargs: 1,
          describe: 'name=value; may be given several times',
        }),
    async (args, { withSession, printer, terminal }) => {
      const { body, codec } = await payloadOf(args, terminal);
      const headers = headersOf(args.header);
      return withSession(async (session) => {
        const shardingKey = await findKey(session, args);
        const messageId = args.messageId ?? randomUUID();
        const { type } = args;
        await session.producer.publish(body, {
          shardingKey,
          messageId,
          headers,
          ...(type === undefined ? {} : { type }),
        });
        printer.answer({ published: true, messageId }, () => [
          `Published ${shown(messageId)} for the key ${shown(args.key)}.`,
        ]);
      }, codec);
    },
  );
}

function headersOf(given: readonly string[]): MessageHeaders {
  return Object.fromEntries(
    given.map((text) => {
      const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
      if (name === undefined) throw new UsageError(`--header has to be name=value, not '${text}'.`);
      return [name, value!];
    }),
  );
}
