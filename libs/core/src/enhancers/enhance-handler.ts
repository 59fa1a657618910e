import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import type { NestContainer } from '@nestjs/core';
import type { DataUpdaterHandler } from '../interfaces/data-updater-handler.interface.js';
import { CONTEXT_TYPE, HandlerContextCreator, type HandlerSource } from './handler-context-creator.js';
import { decoratedOf, type Decorated, type Method } from './decorated.js';
import { Denied } from './denied.js';
import { ENHANCERS, hasEnhancer } from './enhancer-metadata.js';
import { RefusedPayload } from '../payload/refused-payload.js';

/**
 * The handler with Nest's guards, pipes, interceptors and filters around `handleMessage` and `handleSignal`. Where none
 * is used, the handler itself is returned and they cost nothing.
 * @throws {InvalidHandlerError} when one of them could not be applied
 */
export function enhanceHandler(
  handler: DataUpdaterHandler,
  source: HandlerSource,
  container: NestContainer,
  inheritAppConfig: boolean,
): DataUpdaterHandler {
  const creator = HandlerContextCreator.for(container, source, inheritAppConfig);
  const handleMessage = enhance(creator, decoratedOf(handler, 'handleMessage', source.type), 'handleMessage');
  const handleSignal = enhance(creator, decoratedOf(handler, 'handleSignal', source.type), 'handleSignal');
  if (handleMessage === undefined && handleSignal === undefined) return handler;
  // Everything but the enhanced methods comes from the handler itself, with its own `this`.
  const enhanced: DataUpdaterHandler = {
    handleMessage: (handleMessage ?? handler.handleMessage.bind(handler)) as DataUpdaterHandler['handleMessage'],
  };
  if (handler.init) enhanced.init = handler.init.bind(handler);
  if (handler.activate) enhanced.activate = handler.activate.bind(handler);
  if (handler.migrate) enhanced.migrate = handler.migrate.bind(handler);
  if (handler.handleContinue) enhanced.handleContinue = handler.handleContinue.bind(handler);
  if (handler.terminate) enhanced.terminate = handler.terminate.bind(handler);
  if (handler.handleSignal) enhanced.handleSignal = handleSignal ?? handler.handleSignal.bind(handler);
  return enhanced;
}

/** The method with its enhancers; `undefined` where it has none. */
function enhance(
  creator: HandlerContextCreator,
  { handler, method }: Decorated,
  name: 'handleMessage' | 'handleSignal',
): Method | undefined {
  if (method === undefined) return undefined;
  if (!creator.hasGlobals && !ENHANCERS.some(({ key }) => hasEnhancer(key, handler, method))) return undefined;
  creator.check(handler, method);
  const guarded = creator.enhance(handler, method, name);
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
