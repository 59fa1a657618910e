import { MessageTimeoutError } from '../../errors/index.js';
import type { MessageHeaders } from '../../interfaces/message-headers.interface.js';
import type { MessageProperties } from '../../interfaces/message-properties.interface.js';
import type { MessageOutcome } from '../../outcomes.js';
import type { Caller } from '../base/caller.js';
import { keyTextOf } from '../base/key-text.js';
import { DirectTrackedMessage } from '../messages/tracked-message.js';
import type { KeyQueue } from './key-queue.js';

/** A direct message as the service takes it. */
export interface DirectMessageInput {
  readonly payload: unknown;
  readonly headers?: MessageHeaders;
  readonly messageId?: string;
  readonly timestamp?: number;
  readonly properties?: MessageProperties | undefined;
}

/**
 * Puts a message that bypasses the transport at the tail of a key's FIFO, and resolves with its outcome.
 * @param timeout milliseconds, `Infinity` for none
 */
export function handleDirect(
  queue: KeyQueue,
  input: DirectMessageInput,
  timeout: number,
  caller: Caller,
): Promise<MessageOutcome<unknown>> {
  return new Promise((resolve, reject) => {
    const { payload, messageId, timestamp, headers, properties } = input;
    const { clock, round } = queue.epoch.environment;
    if (timeout === Infinity) {
      queue.accept(
        new DirectTrackedMessage(
          round.time,
          payload,
          messageId,
          timestamp,
          headers,
          properties,
          caller,
          resolve,
          reject,
        ),
      );
      return;
    }
    const timer = clock.after(timeout, () => {
      const stage = queue.withdraw(message);
      reject(new MessageTimeoutError(keyTextOf(queue), timeout, stage));
    });
    const message = new DirectTrackedMessage(
      round.time,
      payload,
      messageId,
      timestamp,
      headers,
      properties,
      caller,
      (outcome) => {
        timer.cancel();
        resolve(outcome);
      },
      (error) => {
        timer.cancel();
        reject(error);
      },
    );
    queue.accept(message);
  });
}
