import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import type { NestContainer } from '@nestjs/core';
import { InvalidHandlerError } from '../errors/index.js';
import { RefusedPayload } from '../payload/refused-payload.js';
import { decoratedOf, type Decorated, type Method } from './decorated.js';
import { Denied } from './denied.js';
import { ENHANCERS, hasEnhancer } from './enhancer-metadata.js';
import { CONTEXT_TYPE, HandlerContextCreator, type HandlerSource } from './handler-context-creator.js';
import { bindParameters, parametersOf, type Parameter } from './parameters.js';

/** Makes of the methods of a provider what the engine calls with payload, state and context. */
export class MethodBinder {
  private readonly creator: HandlerContextCreator;

  constructor(
    readonly handler: object,
    readonly source: HandlerSource,
    container: NestContainer,
    inheritAppConfig: boolean,
  ) {
    this.creator = HandlerContextCreator.for(container, source, inheritAppConfig);
  }

  /**
   * A method with its guards, pipes, interceptors and filters around it, and its parameters as they are decorated; the method itself,
   * with its own `this`, where it has none of them, so that they cost nothing.
   * @param claimed the prototype whose method says what it handles, where a subclass may have overridden it
   * @throws {InvalidHandlerError} when one of them could not be applied, or it is no method
   */
  bind(name: string, claimed?: object): Method | undefined {
    return this.decorate(name, claimed) ?? this.own(name);
  }

  /** The same; `undefined` where there is nothing of the kind. */
  decorate(name: string, claimed?: object): Method | undefined {
    const given: unknown = Reflect.get(this.handler, name);
    if (given === undefined) return undefined;
    if (typeof given !== 'function') {
      throw new InvalidHandlerError(this.source.className, `its ${name} is no method: make it one`);
    }
    const decorated = decoratedOf(this.handler, name, this.source.type, claimed);
    const { handler, method } = decorated;
    if (method === undefined) return undefined;
    const parameters = parametersOf(this.source.className, decorated, name);
    const enhanced = this.enhance(handler, method, name, parameters);
    if (enhanced !== undefined) return enhanced;
    return parameters === undefined ? undefined : bindParameters(decorated, parameters);
  }

  /** Looked up at each call, as `handleMessage` is: a test may put a spy there while the app runs. */
  private own(name: string): Method | undefined {
    const handler = this.handler as Record<string, Method>;
    if (typeof handler[name] !== 'function') return undefined;
    return (payload, state, context) => handler[name]!(payload, state, context);
  }

  private enhance(
    handler: Decorated['handler'],
    method: Method,
    name: string,
    parameters: readonly Parameter[] | undefined,
  ): Method | undefined {
    const { creator } = this;
    const pipes = parameters?.flatMap((parameter) => parameter.pipes) ?? [];
    const used =
      creator.hasGlobals || pipes.length > 0 || ENHANCERS.some(({ key }) => hasEnhancer(key, handler, method));
    if (!used) return undefined;
    creator.check(handler, method, pipes);
    const guarded = creator.enhance(handler, method, name, parameters !== undefined);
    const filters = creator.filters(handler, method);
    return async (...args) => {
      try {
        return await guarded(...args);
      } catch (error) {
        // A filter gets what was thrown, and may throw another error; its return value is ignored.
        const thrown = error instanceof Denied || error instanceof RefusedPayload ? error.cause : error;
        const host = new ExecutionContextHost(args, handler.constructor as never, method);
        host.setType(CONTEXT_TYPE);
        try {
          await filters.invokeCustomFilters(thrown as Error, host);
        } catch (other) {
          if (other !== thrown) throw other;
        }
        throw error;
      }
    };
  }
}
