import { Injectable, Scope, type Type } from '@nestjs/common';
import { DiscoveryService, type NestContainer } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { MessageHandlerPartMark, MessageHandlerPartOptions } from './decorators/message-handler-part.decorator.js';
import { MessageHandlerMark } from './decorators/message-handler.decorator.js';
import { describe } from './errors/describe.js';
import {
  DuplicateHandlerError,
  HandlerScopeError,
  InvalidHandlerError,
  MissingHandlerError,
  UnexpectedHandlerError,
  UnknownInstanceError,
} from './errors/index.js';
import type { DataUpdaterHandler } from './interfaces/data-updater-handler.interface.js';
import { MessageHandlerOptions } from './mississippi.options.js';
import { handlerClassOf, isHandlerClass, type Listed } from './enhancers/handler-class.js';
import type { HandlerSource } from './enhancers/handler-context-creator.js';
import { isObject } from './is-object.js';
import { CALLBACKS } from './methods/callbacks.js';
import { claimsOf } from './methods/claims.js';
import { DEFAULT_INSTANCE } from './mississippi.tokens.js';
import { MODULE_METADATA, readProviders } from './nest.js';
import { validateOptions } from './options/validate-options.js';
import { canReachService } from './reachable-service.js';
import { DataUpdaterService } from './services/data-updater.service.js';

/** A provider with methods that handle something. */
export interface FoundProvider<Instance extends object = object> {
  readonly instance: Instance;
  readonly source: HandlerSource;
}

export interface FoundHandler extends FoundProvider<DataUpdaterHandler> {
  readonly options: MessageHandlerOptions;
  readonly parts: readonly FoundProvider[];
  /** Whether its callbacks can call the service, by injection. */
  readonly reachesService: boolean;
}

/** The two decorators, each with the class of its options. */
const HANDLER = { mark: MessageHandlerMark, name: 'MessageHandler', options: MessageHandlerOptions } as const;
const PART = { mark: MessageHandlerPartMark, name: 'MessageHandlerPart', options: MessageHandlerPartOptions } as const;

/** Finds the message handler of an instance, and its parts, among the app's providers. */
@Injectable()
export class MississippiExplorer {
  constructor(private readonly discovery: DiscoveryService) {}

  /**
   * @param known the names of all instances of the app
   * @throws when there is none or more than one, when one is no singleton or names an instance that is not there, or when a part has
   * what only the handler has
   */
  find(
    instance: string,
    producerOnly: boolean,
    known: readonly string[],
    container: NestContainer,
  ): FoundHandler | undefined {
    const handlers = this.candidates(HANDLER, instance, known, container);
    const parts = this.candidates(PART, instance, known, container);
    const [candidate] = handlers;
    if (producerOnly) {
      const unexpected = candidate ?? parts[0];
      if (unexpected !== undefined) throw new UnexpectedHandlerError(instance, unexpected.className);
      return undefined;
    }
    const forgotten = this.undecorated();
    if (candidate === undefined)
      throw new MissingHandlerError(
        instance,
        forgotten.map(({ name }) => name),
        parts.map(nameAndModuleOf),
      );
    for (const { name, method } of forgotten)
      if (method !== undefined) throw InvalidHandlerError.undecorated(name, method);
    if (handlers.length > 1) throw new DuplicateHandlerError(instance, handlers.map(nameAndModuleOf));
    for (const { type, className } of parts) {
      const same = parts.filter((part) => type !== undefined && part.type === type);
      if (same.length > 1) throw InvalidHandlerError.severalTimes(className, same.map(moduleOf));
    }
    for (const { wrapper, className } of [candidate, ...parts]) {
      if (!wrapper.isDependencyTreeStatic() || wrapper.scope === Scope.TRANSIENT)
        throw new HandlerScopeError(className);
    }
    return {
      instance: checked(candidate.wrapper.instance, candidate.className),
      source: sourceOf(candidate),
      options: candidate.options,
      parts: parts.map((part) => ({ instance: checkedPart(part, candidate), source: sourceOf(part) })),
      reachesService: [candidate, ...parts].some(({ wrapper }) => canReachService(wrapper)),
    };
  }

  private candidates(
    kind: typeof HANDLER | typeof PART,
    instance: string,
    known: readonly string[],
    container: NestContainer,
  ): Candidate[] {
    const found = new Map<unknown, Candidate>();
    const provided = readProviders(this.discovery, (wrapper) => {
      const type = handlerClassOf(wrapper, providersOf(wrapper, container));
      return type !== undefined && Reflect.hasMetadata(kind.mark.KEY, type) ? { wrapper, type } : undefined;
    });
    for (const { wrapper, type } of provided) {
      const candidate = candidateOf(kind, wrapper, type);
      const named = candidate.options.instance ?? DEFAULT_INSTANCE;
      if (!known.includes(named)) throw new UnknownInstanceError(named, candidate.className, known);
      // An alias is another way to the same instance; its own module knows nothing of the handler.
      if (named !== instance || wrapper.isAlias) continue;
      found.set(wrapper.isTransient ? wrapper : (wrapper.instance ?? wrapper), candidate);
    }
    return [...found.values()];
  }

  /** Providers that look like a handler or a part, but for the decorator of their class. */
  private undecorated(): Lookalike[] {
    return readProviders(this.discovery, lookalikeOf);
  }
}

/** A provider that is a handler or a part, with what the decorator of its class says. */
interface Candidate {
  readonly wrapper: InstanceWrapper;
  readonly type: Type;
  readonly className: string;
  readonly options: MessageHandlerOptions;
}

interface Lookalike {
  readonly name: string;
  /** One with `@OnMessage` or `@OnSignal`; `undefined` where it has `handleMessage` alone. */
  readonly method: string | undefined;
}

function candidateOf(
  { mark, name, options }: typeof HANDLER | typeof PART,
  wrapper: InstanceWrapper,
  type: Type,
): Candidate {
  const given: unknown = Reflect.getMetadata(mark.KEY, type);
  return {
    wrapper,
    type,
    className: type.name,
    options: validateOptions<object>(`@${name}(${type.name})`, options, given ?? {}),
  };
}

/** The providers that a handler's module lists, by its decorator or as a dynamic module. */
function providersOf({ host }: InstanceWrapper, container: NestContainer): Listed[] {
  if (host === undefined) return [];
  const dynamic = container.getDynamicMetadataByToken(host.token, 'providers') as Listed[];
  const decorated = Reflect.getMetadata(MODULE_METADATA.PROVIDERS, host.metatype) as Listed[] | undefined;
  return [...dynamic, ...(decorated ?? [])];
}

function sourceOf({ className, type, wrapper }: Candidate): HandlerSource {
  return { className, type, moduleKey: wrapper.host?.token ?? '' };
}

function checked(handler: unknown, className: string): DataUpdaterHandler {
  if (!isObject(handler)) throw new InvalidHandlerError(className, `${describe(handler)} is provided for it`);
  for (const name of CALLBACKS) {
    const callback: unknown = Reflect.get(handler, name);
    if (callback !== undefined && typeof callback !== 'function') {
      throw new InvalidHandlerError(className, `its ${name} is no method: make it one`);
    }
  }
  return handler as unknown as DataUpdaterHandler;
}

function checkedPart({ wrapper, className, type }: Candidate, owner: Candidate): object {
  const part: unknown = wrapper.instance;
  if (!isObject(part)) throw new InvalidHandlerError(className, `${describe(part)} is provided for it`);
  // A mock may have every method that it is asked for.
  const { prototype } = type === undefined || part instanceof type ? { prototype: part } : type;
  const taken = CALLBACKS.find((name) => typeof Reflect.get(prototype as object, name) === 'function');
  if (taken !== undefined) throw InvalidHandlerError.part(className, taken, owner.className);
  return part;
}

function lookalikeOf({ metatype, instance, host, isAlias, token }: InstanceWrapper): Lookalike | undefined {
  const type: unknown = (instance as object | null | undefined)?.constructor ?? metatype;
  if (isAlias || typeof type !== 'function' || type === DataUpdaterService) return undefined;
  if ([type, metatype, token].some(isHandlerClass)) return undefined;
  const prototype: unknown = type.prototype;
  if (typeof prototype !== 'object' || prototype === null) return undefined;
  const claim = claimsOf(prototype)[0];
  const handles = typeof Reflect.get(prototype, 'handleMessage') === 'function';
  if (claim === undefined && !handles) return undefined;
  return { name: `${type.name} in ${host?.name}`, method: claim?.method };
}

function nameAndModuleOf(candidate: Candidate): string {
  return `${candidate.className} in ${moduleOf(candidate)}`;
}

function moduleOf({ wrapper }: Candidate): string {
  return String(wrapper.host?.name);
}
