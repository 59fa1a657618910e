import { Admission } from './admission.js';
import { DeadLetters } from './dead-letters.js';
import { MemoryBacklog } from './memory-backlog.js';
import { MemoryShard } from './memory-shard.js';
import { Ownership } from './ownership.js';
import { TypePauses } from './type-pauses.js';

/** The inside of the embedded broker, for the transport and for tests. */
export class BrokerParts {
  readonly shards: readonly MemoryShard[];
  readonly admission: Admission;
  readonly deadLetters: DeadLetters;
  readonly ownership: Ownership;
  readonly backlog: MemoryBacklog;
  readonly pauses = new TypePauses();

  constructor(totalCount: number, capacity: number, deadLetterLimit: number) {
    this.shards = Array.from({ length: totalCount }, (_, index) => new MemoryShard(index));
    this.admission = new Admission(this.shards, capacity);
    this.deadLetters = new DeadLetters(deadLetterLimit);
    this.ownership = new Ownership(this.shards, this.admission, this.deadLetters);
    this.backlog = new MemoryBacklog(this.shards, this.admission);
  }
}
