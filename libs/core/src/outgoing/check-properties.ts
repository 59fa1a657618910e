import { InvalidMessageError } from '../errors/index.js';
import { PROPERTY_NAMES, type MessageProperties } from '../interfaces/message-properties.interface.js';
import { isShortText } from './short-text.js';

/** RabbitMQ takes it for the channel's own answers, and closes a channel that has none open. */
const DIRECT_REPLY = 'amq.rabbitmq.reply-to';

/**
 * Checks the properties that a caller gave with a message.
 * @returns a copy of those that are there; `undefined` where none is
 * @throws {InvalidMessageError} when one cannot be sent; it says which
 */
export function checkProperties(given: MessageProperties): MessageProperties | undefined {
  let properties: Record<string, string> | undefined;
  for (const name of PROPERTY_NAMES) {
    const value: unknown = given[name];
    if (value === undefined) continue;
    if (typeof value !== 'string') throw InvalidMessageError.property(name, value);
    if (!isShortText(value)) throw InvalidMessageError.unwritableProperty(name);
    if (name === 'replyTo' && value === DIRECT_REPLY) throw InvalidMessageError.directReply(value);
    (properties ??= {})[name] = value;
  }
  return properties;
}
