import { Injectable, Scope, type Type } from '@nestjs/common';
import { DiscoveryService, type NestContainer } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
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
import { handlerClassOf, type Listed } from './enhancers/handler-class.js';
import type { HandlerSource } from './enhancers/handler-context-creator.js';
import { isObject } from './is-object.js';
import { DEFAULT_INSTANCE } from './mississippi.tokens.js';
import { findProviders, MODULE_METADATA } from './nest.js';
import { validateOptions } from './options/validate-options.js';
import { canReachService } from './reachable-service.js';

export interface FoundHandler {
  readonly instance: DataUpdaterHandler;
  readonly source: HandlerSource;
  readonly options: MessageHandlerOptions;
  /** Whether its callbacks can call the service, by injection. */
  readonly reachesService: boolean;
}

const CALLBACKS = ['init', 'handleMessage', 'handleSignal', 'handleContinue', 'terminate'] as const;

/** Finds the message handler of an instance among the app's providers. */
@Injectable()
export class MississippiExplorer {
  constructor(private readonly discovery: DiscoveryService) {}

  /**
   * @param known the names of all instances of the app
   * @throws when there is none or more than one, when it is no singleton, or when one names an instance that is not there
   */
  find(
    instance: string,
    producerOnly: boolean,
    known: readonly string[],
    container: NestContainer,
  ): FoundHandler | undefined {
    const found = new Map<unknown, Candidate>();
    for (const wrapper of findProviders(this.discovery, (provider) => classOf(provider, container) !== undefined)) {
      const candidate = candidateOf(wrapper, container);
      const named = candidate.options.instance ?? DEFAULT_INSTANCE;
      if (!known.includes(named)) throw new UnknownInstanceError(named, candidate.className, known);
      // An alias is another way to the same instance; its own module knows nothing of the handler.
      if (named !== instance || wrapper.isAlias) continue;
      found.set(wrapper.isTransient ? wrapper : (wrapper.instance ?? wrapper), candidate);
    }
    const candidates = [...found.values()];
    const [candidate] = candidates;
    if (candidate === undefined) {
      if (producerOnly) return undefined;
      throw new MissingHandlerError(instance);
    }
    const { wrapper, type, className, options } = candidate;
    if (producerOnly) throw new UnexpectedHandlerError(instance, className);
    if (candidates.length > 1) throw new DuplicateHandlerError(instance, candidates.map(nameAndModuleOf));
    if (!wrapper.isDependencyTreeStatic() || wrapper.scope === Scope.TRANSIENT) {
      throw new HandlerScopeError(className);
    }
    return {
      instance: checked(wrapper.instance, className),
      source: { className, type, moduleKey: wrapper.host?.token ?? '' },
      options,
      reachesService: canReachService(wrapper),
    };
  }
}

/** A provider that is a handler, with what the decorator of its class says. */
interface Candidate {
  readonly wrapper: InstanceWrapper;
  readonly type: Type | undefined;
  readonly className: string;
  readonly options: MessageHandlerOptions;
}

function candidateOf(wrapper: InstanceWrapper, container: NestContainer): Candidate {
  const type = classOf(wrapper, container);
  const className = type?.name ?? String(wrapper.name);
  const given: unknown = type && Reflect.getMetadata(MessageHandlerMark.KEY, type);
  const options = validateOptions(`@MessageHandler(${className})`, MessageHandlerOptions, given ?? {});
  return { wrapper, type, className, options };
}

function classOf(wrapper: InstanceWrapper, container: NestContainer): Type | undefined {
  return handlerClassOf(wrapper, providersOf(wrapper, container));
}

/** The providers that a handler's module lists, by its decorator or as a dynamic module. */
function providersOf({ host }: InstanceWrapper, container: NestContainer): Listed[] {
  if (host === undefined) return [];
  const dynamic = container.getDynamicMetadataByToken(host.token, 'providers') as Listed[];
  const decorated = Reflect.getMetadata(MODULE_METADATA.PROVIDERS, host.metatype) as Listed[] | undefined;
  return [...dynamic, ...(decorated ?? [])];
}

function checked(handler: unknown, className: string): DataUpdaterHandler {
  if (!isObject(handler)) throw new InvalidHandlerError(className, `${describe(handler)} is provided for it`);
  for (const name of CALLBACKS) {
    const callback: unknown = Reflect.get(handler, name);
    if (callback === undefined && name === 'handleMessage') {
      throw new InvalidHandlerError(className, 'has no method handleMessage: add it (DataUpdaterHandler has its form)');
    }
    if (callback !== undefined && typeof callback !== 'function') {
      throw new InvalidHandlerError(className, `its ${name} is no method: make it one`);
    }
  }
  return handler as unknown as DataUpdaterHandler;
}

function nameAndModuleOf({ className, wrapper }: Candidate): string {
  return `${className} in ${wrapper.host?.name}`;
}
