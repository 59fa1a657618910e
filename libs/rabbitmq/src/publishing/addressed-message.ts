import type { OutgoingMessage } from '@mississippi/core/transport';
import type { Options } from 'amqplib';
import { asBuffer } from '../wire/as-buffer.js';
import { publishedTable } from '../wire/header-table.js';

/** A message with its address, ready for the client. */
export interface AddressedMessage {
  readonly exchange: string;
  readonly queue: string;
  readonly body: Buffer;
  readonly options: Options.Publish;
}

/** A message for a shard. What the client wants is made when it is sent: kept until the confirm, it would be most of the message. */
export class ShardMessage implements AddressedMessage {
  constructor(
    private readonly message: OutgoingMessage,
    readonly exchange: string,
    readonly queue: string,
  ) {}

  get body(): Buffer {
    return asBuffer(this.message.body);
  }

  get options(): Options.Publish {
    const { key, headers, messageId, timestamp, properties } = this.message;
    const table = publishedTable(key, headers);
    const own = { headers: table, persistent: true, mandatory: true, messageId, timestamp };
    return properties === undefined ? own : { ...(properties as Options.Publish), ...own };
  }
}
