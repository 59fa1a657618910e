import type { DataUpdaterHandler } from '../interfaces/data-updater-handler.interface.js';
import type { MethodBinder } from './method-binder.js';

/**
 * The handler with Nest's guards, pipes, interceptors and filters around `handleMessage` and `handleSignal`, and their parameters as
 * they are decorated. Where none is used, the handler itself is returned and they cost nothing.
 * @throws {InvalidHandlerError} when one of them could not be applied
 */
export function enhanceHandler(handler: DataUpdaterHandler, binder: MethodBinder): DataUpdaterHandler {
  const handleMessage = binder.decorate('handleMessage');
  const handleSignal = binder.decorate('handleSignal');
  if (handleMessage === undefined && handleSignal === undefined) return handler;
  // Everything but the enhanced methods comes from the handler itself, with its own `this`.
  const enhanced: Partial<DataUpdaterHandler> = {};
  if (handler.init) enhanced.init = handler.init.bind(handler);
  if (handler.activate) enhanced.activate = handler.activate.bind(handler);
  if (handler.migrate) enhanced.migrate = handler.migrate.bind(handler);
  if (handler.handleContinue) enhanced.handleContinue = handler.handleContinue.bind(handler);
  if (handler.terminate) enhanced.terminate = handler.terminate.bind(handler);
  const message = handleMessage ?? binder.bind('handleMessage');
  const signal = handleSignal ?? binder.bind('handleSignal');
  if (message !== undefined) enhanced.handleMessage = message as DataUpdaterHandler['handleMessage'];
  if (signal !== undefined) enhanced.handleSignal = signal;
  return enhanced as DataUpdaterHandler;
}
