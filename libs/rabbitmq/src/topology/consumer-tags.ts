/** Bytes of a process's name in a tag; the broker takes 255 of all. */
const LONGEST = 200;

/** By what consumers are known in the broker's list: which process, and what it does with which shard. Each is used once on a channel. */
export class ConsumerTags {
  readonly member: string;
  readonly coordinator: string;
  private readonly process: string;

  constructor(process: string) {
    // A letter that is cut in two is replaced.
    this.process = Buffer.from(process).subarray(0, LONGEST).toString();
    this.member = `${this.process} takes part`;
    this.coordinator = `${this.process} coordinates`;
  }

  shard(index: number): string {
    return `${this.process} owns shard ${index}`;
  }

  /** Of the shard's requests, on the shard's channel. */
  signals(index: number): string {
    return `${this.process} answers shard ${index}`;
  }

  parked(index: number): string {
    return `${this.process} reads what is parked of shard ${index}`;
  }

  lock(index: number): string {
    return `${this.process} has the lock of shard ${index}`;
  }
}
