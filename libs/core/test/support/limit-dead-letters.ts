import { PublishError, type MemoryBroker } from '../../src/index.js';
import { partsOf } from '../../src/memory/memory-broker.js';

/** From now on the broker refuses dead letters while it has so many, as one whose queue of them is full. Returns what ends it. */
export function limitDeadLetters(broker: MemoryBroker, limit: number): () => void {
  const { deadLetters } = partsOf(broker);
  const add = deadLetters.add.bind(deadLetters);
  deadLetters.add = (message, notes) => {
    if (deadLetters.letters.length >= limit) throw new PublishError('nacked', 'the dead letters are full');
    return add(message, notes);
  };
  return () => void (deadLetters.add = add);
}
