import { Injectable, Scope } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { MessageHandlerMark } from './decorators/message-handler.decorator.js';
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
import type { HandlerSource } from './enhancers/handler-context-creator.js';
import { DEFAULT_INSTANCE } from './mississippi.tokens.js';
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
  find(instance: string, producerOnly: boolean, known: readonly string[]): FoundHandler | undefined {
    const found = new Map<unknown, InstanceWrapper>();
    for (const wrapper of this.discovery.getProviders({ metadataKey: MessageHandlerMark.KEY })) {
      const named = this.optionsOf(wrapper).instance ?? DEFAULT_INSTANCE;
      if (!known.includes(named)) throw new UnknownInstanceError(named, nameOf(wrapper), known);
      // An alias is another way to the same instance; its own module knows nothing of the handler.
      if (named !== instance || wrapper.isAlias) continue;
      found.set(wrapper.isTransient ? wrapper : (wrapper.instance ?? wrapper), wrapper);
    }
    const wrappers = [...found.values()];
    const [wrapper] = wrappers;
    if (wrapper === undefined) {
      if (producerOnly) return undefined;
      throw new MissingHandlerError(instance);
    }
    if (producerOnly) throw new UnexpectedHandlerError(instance, nameOf(wrapper));
    if (wrappers.length > 1) throw new DuplicateHandlerError(instance, wrappers.map(nameAndModuleOf));
    if (!wrapper.isDependencyTreeStatic() || wrapper.scope === Scope.TRANSIENT) {
      throw new HandlerScopeError(nameOf(wrapper));
    }
    const source = { className: nameOf(wrapper), moduleKey: wrapper.host?.token ?? '' };
    return {
      instance: this.check(wrapper),
      source,
      options: this.optionsOf(wrapper),
      reachesService: canReachService(wrapper),
    };
  }

  private optionsOf(wrapper: InstanceWrapper): MessageHandlerOptions {
    const options: unknown = this.discovery.getMetadataByDecorator(MessageHandlerMark, wrapper) ?? {};
    return validateOptions(`@MessageHandler(${nameOf(wrapper)})`, MessageHandlerOptions, options);
  }

  private check(wrapper: InstanceWrapper): DataUpdaterHandler {
    const handler = wrapper.instance as object;
    for (const name of CALLBACKS) {
      const callback: unknown = Reflect.get(handler, name);
      if (callback === undefined && name === 'handleMessage') {
        throw new InvalidHandlerError(
          nameOf(wrapper),
          'has no method handleMessage: add it (DataUpdaterHandler has its form)',
        );
      }
      if (callback !== undefined && typeof callback !== 'function') {
        throw new InvalidHandlerError(nameOf(wrapper), `its ${name} is no method: make it one`);
      }
    }
    return handler as DataUpdaterHandler;
  }
}

function nameOf(wrapper: InstanceWrapper): string {
  // Where a factory made the handler, the wrapper's own type is the factory.
  if (wrapper.isNotMetatype) return (wrapper.instance as object).constructor.name;
  return (wrapper.metatype as { name: string }).name;
}

function nameAndModuleOf(wrapper: InstanceWrapper): string {
  return `${nameOf(wrapper)} in ${wrapper.host?.name}`;
}
