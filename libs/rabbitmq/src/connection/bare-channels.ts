import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib';

type Method = (this: unknown, ...args: unknown[]) => unknown;
type Methods = Record<'publish' | 'consume' | 'ack', Method>;

/** What amqplib 2.3 does besides when a message is published with a confirm; its types leave it out. */
interface Confirming {
  pushConfirmCallback(confirmed: unknown): void;
}

/**
 * Leaves out of a connection's channels what an instrumentation has put around amqplib's methods (OpenTelemetry's does, on their
 * prototypes): the core traces messages and signals itself, and would have each of them twice. Nor would such a span of a delivery
 * ever end, since acks are coalesced and name no message.
 */
export function leaveBare(model: ChannelModel): void {
  const createChannel = model.createChannel.bind(model);
  const createConfirmChannel = model.createConfirmChannel.bind(model);
  model.createChannel = async () => bare(await createChannel());
  model.createConfirmChannel = async () => bareConfirming(await createConfirmChannel());
}

function bare<T extends Channel>(channel: T): T {
  const methods = methodsOf(channel);
  for (const name of ['publish', 'consume', 'ack'] as const) methods[name] = originalOf(methods[name]);
  return channel;
}

/** Its own publish goes on to that of a channel without confirms, by the prototype: past that there is no way but to do the same. */
function bareConfirming(channel: ConfirmChannel): ConfirmChannel {
  const unconfirmed = methodsOf(Object.getPrototypeOf(Object.getPrototypeOf(channel))).publish;
  const original = originalOf(unconfirmed);
  bare(channel);
  if (original === unconfirmed) return channel;
  methodsOf(channel).publish = (exchange, routingKey, content, options, confirmed) => {
    const fits = original.call(channel, exchange, routingKey, content, options);
    (channel as unknown as Confirming).pushConfirmCallback(confirmed);
    return fits;
  };
  return channel;
}

function methodsOf(channel: unknown): Methods {
  return channel as Methods;
}

/** By the convention of `shimmer`, which OpenTelemetry's instrumentations keep: what is wrapped is a property of the wrapper. */
function originalOf(method: Method): Method {
  const { __wrapped: wrapped, __original: original } = method as { __wrapped?: unknown; __original?: unknown };
  return wrapped === true && typeof original === 'function' ? originalOf(original as Method) : method;
}
