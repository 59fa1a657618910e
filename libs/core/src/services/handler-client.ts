import { MessageHandlerPartMark } from '../decorators/message-handler-part.decorator.js';
import { MessageHandlerMark } from '../decorators/message-handler.decorator.js';
import { InvalidHandlerError, SignalNotHandledError } from '../errors/index.js';
import type { HandlerClient, SignalOptions } from '../interfaces/key-client.interface.js';
import type { ShardingKey } from '../keys/sharding-key.js';
import { claimsOf } from '../methods/claims.js';
import { DEFAULT_INSTANCE } from '../default-instance.js';
import type { PublishOptions } from './events-producer.service.js';

/** What a client calls. */
export interface ClientPort {
  instance(): string;
  /** The header that has the type of a message, where it is one. */
  header(): string | undefined;
  signal(key: ShardingKey, signal: unknown, options: { timeout?: number; name?: string }): Promise<unknown>;
  publish(payload: unknown, options: PublishOptions): Promise<void>;
}

type Call = (signal?: unknown, options?: SignalOptions) => Promise<unknown>;
type Given = Omit<PublishOptions, 'shardingKey' | 'type'>;

/** @throws {InvalidHandlerError} when the class is no handler */
export function clientOf<Handler extends object>(
  type: abstract new (...args: never[]) => Handler,
  port: ClientPort,
): HandlerClient<Handler> {
  const instance = instanceOf(type);
  const methods = methodsOf(type);
  return {
    key: (key: ShardingKey) => {
      if (port.instance() !== instance) throw InvalidHandlerError.otherInstance(type.name, instance, port.instance());
      const client: Record<string, unknown> = {};
      for (const [method, name] of methods) client[method] = callOf(port, key, type.name, method, name);
      client['publish'] = (name: string, payload: unknown, options: Given = {}) => {
        const header = port.header();
        const headers = header === undefined ? options.headers : { ...options.headers, [header]: name };
        const typed = { ...options, shardingKey: key, type: name };
        return port.publish(payload, headers === undefined ? typed : { ...typed, headers });
      };
      return client;
    },
  } as unknown as HandlerClient<Handler>;
}

function callOf(
  port: ClientPort,
  key: ShardingKey,
  className: string,
  method: string,
  name: string | undefined | null,
): Call {
  return (signal, options) => {
    if (name === null) return Promise.reject(SignalNotHandledError.method(className, method));
    return port.signal(key, signal, name === undefined ? { ...options } : { ...options, name });
  };
}

/** The methods of a class, each with the name of its signal: `undefined` for signals without one, `null` where it is for none. */
function methodsOf(type: {
  readonly prototype: unknown;
  readonly name: string;
}): Map<string, string | undefined | null> {
  const methods = new Map<string, string | undefined | null>();
  for (let at = type.prototype as object | null; at !== null && at !== Object.prototype;) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (typeof value === 'function' && name !== 'constructor') methods.set(name, null);
    }
    at = Object.getPrototypeOf(at) as object | null;
  }
  for (const { kind, method, name } of claimsOf(type.prototype as object)) {
    if (kind === 'signal') methods.set(method, name);
  }
  return methods;
}

function instanceOf(type: { readonly name: string }): string {
  for (const { KEY } of [MessageHandlerMark, MessageHandlerPartMark]) {
    const options = Reflect.getMetadata(KEY, type) as { instance?: string } | undefined;
    if (options !== undefined) return options.instance ?? DEFAULT_INSTANCE;
  }
  throw InvalidHandlerError.undecorated(type.name, undefined);
}
