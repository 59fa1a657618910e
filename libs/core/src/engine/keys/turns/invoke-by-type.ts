import { UnknownMessageTypeError } from '../../../errors/index.js';
import { ack } from '../../../outcomes.js';
import { isThenable } from '../../base/thenable.js';
import { DeliveredMessage, type DirectTrackedMessage, type TrackedMessage } from '../../messages/tracked-message.js';
import { RunContext } from '../../updaters/callback-context.js';
import type { CallbackRun } from '../../updaters/callback-run.js';
import type { MessageRoute, MessageRoutes } from '../../updaters/message-routes.js';
import { refusePaused } from './paused-message.js';
import type { TurnKey } from './turn-key.js';
import { whenRead } from './when-read.js';

/** Thrown inside an attempt when no method claims the message's type. */
export class UnclaimedMessage extends Error {
  constructor(readonly reason: UnknownMessageTypeError) {
    super(reason.message, { cause: reason });
  }
}

/** One attempt at a message of a handler that has methods for types: its method is found, before its payload is decoded if that can be. */
export function invokeByType(
  run: CallbackRun<TurnKey, TrackedMessage>,
  routes: MessageRoutes,
  state: () => unknown,
): unknown {
  const { key, message } = run;
  const { reader } = key.activation.callbacks;
  const early = routes.inPayload ? undefined : find(run, routes, routes.typeOf(message));
  if (!routes.inPayload && early === undefined) return ack();
  const decoded =
    message instanceof DeliveredMessage
      ? reader.decode(message.delivery.body)
      : (message as DirectTrackedMessage).payload;
  return then(run, decoded, (payload) => {
    refusePaused(key, payload);
    const route = early ?? find(run, routes, routes.typeIn(payload));
    if (route === undefined) return ack();
    const checked = (route.reader ?? reader).check(payload);
    return then(run, checked, (ready) => route.call(ready, state(), new RunContext(run)));
  });
}

/**
 * @returns `undefined` where nobody claims the message and it is to be acked all the same
 * @throws {UnclaimedMessage} where it is not
 */
function find(
  { key, message }: CallbackRun<TurnKey, TrackedMessage>,
  routes: MessageRoutes,
  type: string | undefined,
): MessageRoute | undefined {
  const route = routes.find(type);
  message.policy = route?.policy;
  if (route !== undefined || key.epoch.environment.options.onUnknownType === 'ack') return route;
  throw new UnclaimedMessage(new UnknownMessageTypeError(key.activation.callbacks.handlerName, type, routes.types));
}

/** Goes on with a value, at once where it is no promise. */
function then(run: CallbackRun<TurnKey, TrackedMessage>, value: unknown, goOn: (value: unknown) => unknown): unknown {
  return isThenable(value) ? whenRead(run, value, goOn) : goOn(value);
}
