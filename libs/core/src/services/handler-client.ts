import { MessageHandlerPartMark } from '../decorators/message-handler-part.decorator.js';
import { MessageHandlerMark } from '../decorators/message-handler.decorator.js';
import { InvalidHandlerError, InvalidMessageError, SignalNotHandledError } from '../errors/index.js';
import type { HandlerClient, SignalOptions } from '../interfaces/key-client.interface.js';
import type { ShardingKey } from '../keys/sharding-key.js';
import { isObject } from '../is-object.js';
import { claimsOf } from '../methods/claims.js';
import type { MessageHandlerOptions, TypeSource } from '../mississippi.options.js';
import { DEFAULT_INSTANCE } from '../default-instance.js';
import type { PublishOptions } from './events-producer.service.js';

/** What a client calls. */
export interface ClientPort {
  instance(): string;
  /** Where the instance reads the type of a message. */
  typeFrom(): TypeSource;
  signal(key: ShardingKey, signal: unknown, options: { timeout?: number; name?: string }): Promise<unknown>;
  publish(payload: unknown, options: PublishOptions): Promise<void>;
}

/** What Nest, JavaScript or a logger calls by itself where an object has it: no signal, unless `@OnSignal` makes it one. */
const IMPLICIT = new Set([
  'constructor',
  'then',
  'toJSON',
  'toString',
  'toLocaleString',
  'valueOf',
  'onModuleInit',
  'onApplicationBootstrap',
  'onModuleDestroy',
  'beforeApplicationShutdown',
  'onApplicationShutdown',
]);

type Call = (signal?: unknown, options?: SignalOptions) => Promise<unknown>;
type Given = Omit<PublishOptions, 'shardingKey' | 'type'>;

/** @throws {InvalidHandlerError} when the class is no handler */
export function clientOf<Handler extends object>(
  type: abstract new (...args: never[]) => Handler,
  port: ClientPort,
): HandlerClient<Handler> {
  const { instance = DEFAULT_INSTANCE, typeFrom } = optionsOf(type);
  const methods = methodsOf(type);
  return {
    key: (key: ShardingKey) => {
      if (port.instance() !== instance) throw InvalidHandlerError.otherInstance(type.name, instance, port.instance());
      const client: Record<string, unknown> = {};
      for (const [method, name] of methods) client[method] = callOf(port, key, type.name, method, name);
      client['publish'] = async (name: string, payload: unknown, options: Given = {}) => {
        const typed = { ...options, shardingKey: key, type: name };
        // An app that only publishes may know it by the class alone.
        const source = typeFrom ?? port.typeFrom();
        if (source === 'property') return port.publish(payload, typed);
        if ('payload' in source) return port.publish(withMember(payload, source.payload, name), typed);
        return port.publish(payload, { ...typed, headers: { ...options.headers, [source.header]: name } });
      };
      return client;
    },
  } as unknown as HandlerClient<Handler>;
}

/**
 * A payload that says its type itself.
 * @throws {InvalidMessageError} where it cannot, or says another one
 */
function withMember(payload: unknown, member: string, type: string): unknown {
  if (!isObject(payload) || ArrayBuffer.isView(payload)) {
    throw InvalidMessageError.untypedPayload(type, member, payload);
  }
  const own: unknown = Object.hasOwn(payload, member) ? Reflect.get(payload, member) : undefined;
  if (own === type) return payload;
  if (own !== undefined) throw InvalidMessageError.otherType(type, member, own);
  const named = { [member]: { value: type, enumerable: true, writable: true, configurable: true } };
  return Object.create(Object.getPrototypeOf(payload) as object | null, {
    ...Object.getOwnPropertyDescriptors(payload),
    ...named,
  }) as object;
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
      if (typeof value === 'function' && !IMPLICIT.has(name)) methods.set(name, null);
    }
    at = Object.getPrototypeOf(at) as object | null;
  }
  for (const { kind, method, name } of claimsOf(type.prototype as object)) {
    if (kind === 'signal') methods.set(method, name);
  }
  return methods;
}

function optionsOf(type: { readonly name: string }): MessageHandlerOptions {
  for (const { KEY } of [MessageHandlerMark, MessageHandlerPartMark]) {
    const options = Reflect.getMetadata(KEY, type) as MessageHandlerOptions | undefined;
    if (options !== undefined) return options;
  }
  throw InvalidHandlerError.undecorated(type.name, undefined);
}
