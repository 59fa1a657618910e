/** What the queues of one prefix are called. */
export class QueueNames {
  readonly deadLetters: string;
  /** Who has it reads the dead letters. */
  readonly deadLettersLock: string;
  /** Remembers how many shards there are. */
  readonly meta: string;
  /** Remembers whose they are. */
  readonly application: string;
  /** Its consumers are the processes that claim shards. */
  readonly members: string;
  /** What processes report, for the one that coordinates them. */
  readonly coordinator: string;
  /** No queue has this name. */
  readonly nobody: string;

  constructor(private readonly prefix: string) {
    this.deadLetters = `${prefix}dead_letters`;
    this.deadLettersLock = `${this.deadLetters}.reader`;
    this.meta = `${prefix}meta`;
    this.application = `${prefix}application`;
    this.members = `${prefix}members`;
    this.coordinator = `${prefix}coordinator`;
    this.nobody = `${prefix}nobody`;
  }

  shard(index: number): string {
    return `${this.prefix}${index}`;
  }

  /** The shard's side queue. */
  parked(index: number): string {
    return `${this.prefix}${index}.parked`;
  }

  /** Requests from other processes to the shard's keys. */
  signals(index: number): string {
    return `${this.prefix}${index}.signals`;
  }

  /** Who holds it owns the shard, where the shard's own queue cannot tell. */
  lock(index: number): string {
    return `${this.prefix}${index}.lock`;
  }
}
