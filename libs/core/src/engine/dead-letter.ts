import { describe } from '../errors/describe.js';
import { inspectKey, keyBytes } from '../keys/sharding-key.js';
import { backoff } from './backoff.js';
import { notes, type DeadLetterReason } from './notes.js';
import type { Shard } from './shard.js';
import type { DeliveredMessage } from './tracked-message.js';

/** A message on its way to the dead letters. */
export interface DeadLetter {
  readonly keyId: string;
  readonly message: DeliveredMessage;
  readonly reason: DeadLetterReason;
  readonly error: unknown;
  readonly attempts: number;
}

/**
 * Publishes a message to the dead letters and settles it once that is confirmed; it is tried again, with backoff, until it
 * is or the epoch ends. `settled` is called in the first case only.
 */
export function sendDeadLetter(shard: Shard, letter: DeadLetter, settled: () => void, tries = 1): void {
  const { keyId, message, reason, error, attempts } = letter;
  const { engine, session } = shard;
  const note = notes(reason, { error, attempts, shard: shard.index, time: engine.clock.time(), key: keyBytes(keyId) });
  session.deadLetter(message.delivery, note).then(
    () => {
      if (shard.ended) return;
      shard.memory.remember(keyId, message.delivery);
      if (engine.listening) shard.emitMessage('deadLettered', keyId, message, attempts, { reason });
      settled();
    },
    (failure: unknown) => {
      if (shard.ended) return;
      if (tries === 1) {
        const key = inspectKey(keyBytes(keyId));
        engine.logger.warn(`A dead letter of the key ${key} was not taken and is tried again: ${describe(failure)}`);
      }
      engine.clock.after(backoff(tries, engine.options.failurePolicy.backoff, engine.random), () => {
        if (!shard.ended) sendDeadLetter(shard, letter, settled, tries + 1);
      });
    },
  );
}
