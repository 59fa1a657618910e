import type { TrackedMessage } from '../../messages/tracked-message.js';
import { isInPayload, typeIn, typeOf } from '../../updaters/message-type.js';
import type { TurnKey } from './turn-key.js';

/** Thrown inside an attempt when the payload says that the message is of a type that is paused. */
export class PausedMessage extends Error {
  constructor(readonly type: string) {
    super(`the type ${type} is paused`);
  }
}

/** The message's type, where that is paused and not in its payload. */
export function pausedTypeOf({ epoch }: TurnKey, message: TrackedMessage): string | undefined {
  const { paused, options } = epoch.environment;
  if (paused.size === 0) return undefined;
  const type = typeOf(options.typeFrom, message);
  return type !== undefined && paused.has(type) ? type : undefined;
}

/** Whether only the payload can say that the message is of a type that is paused. */
export function mayBePaused({ epoch }: TurnKey): boolean {
  const { paused, options } = epoch.environment;
  return paused.size > 0 && isInPayload(options.typeFrom);
}

/** @throws {PausedMessage} where the payload says that its type is paused */
export function refusePaused({ epoch }: TurnKey, payload: unknown): void {
  const { paused, options } = epoch.environment;
  if (paused.size === 0) return;
  const type = typeIn(options.typeFrom, payload);
  if (type !== undefined && paused.has(type)) throw new PausedMessage(type);
}
