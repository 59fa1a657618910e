import type { Channel, ChannelModel } from 'amqplib';
import { onChannel } from '../connection/channels.js';
import { codeOf, PRECONDITION_FAILED } from '../errors/reply-codes.js';
import { reasonOf } from '../errors/reason.js';

type Arguments = Readonly<Record<string, unknown>>;

/** More than a queue of ours has. */
const MOST_ARGUMENTS = 10;

/** How RabbitMQ says that a queue has another argument (3.10 to 4.0); it cuts its text at 255 bytes. */
const DIFFERS =
  /inequivalent arg '([^']+)' for queue .* but current is (?:(none)|the value '(.*?)' of type '(\w+)'|'(.*?)')"?$/s;

/**
 * The arguments of a queue that exists, learnt by declaring it again: the broker refuses and names one that differs, what it has instead, until
 * nothing does, or until one was named that is among the `wanted`. Nothing is changed by a declaration that is refused.
 * @param asked what to begin with; it has to differ in what is wanted, so that no declaration makes a queue unnoticed
 * @returns what was learnt, with `asked`; `undefined` where the queue is not there after all
 * @throws what the broker says besides: that the right to configure is wanting, for one
 */
export async function learnArguments(
  model: ChannelModel,
  queue: string,
  asked: Arguments,
  wanted: readonly string[],
): Promise<Arguments | undefined> {
  let known = asked;
  for (let round = 0; round < MOST_ARGUMENTS; round++) {
    const [name, value] = (await onChannel(model, (channel) => difference(channel, queue, known))) ?? [];
    if (name === undefined) return undefined;
    const { [name]: _asked, ...others } = known;
    known = value === undefined ? others : { ...others, [name]: value };
    if (wanted.includes(name)) return known;
  }
  return known;
}

/** An argument that differs; nothing where the queue was deleted in this moment, and is again. */
async function difference(
  channel: Channel,
  queue: string,
  known: Arguments,
): Promise<[name: string, value: unknown] | undefined> {
  try {
    await channel.assertQueue(queue, { durable: true, arguments: known });
  } catch (error) {
    const [, name, none, value, type, same] =
      codeOf(error) === PRECONDITION_FAILED ? (DIFFERS.exec(reasonOf(error)) ?? []) : [];
    if (name === undefined) throw error;
    if (none !== undefined) return [name, undefined];
    const isNumber = type === undefined ? typeof known[name] === 'number' : /int|byte|short|long$/.test(type);
    const text = value ?? same!;
    return [name, isNumber ? Number(text) : text];
  }
  await channel.deleteQueue(queue, { ifEmpty: true, ifUnused: true });
  return undefined;
}
