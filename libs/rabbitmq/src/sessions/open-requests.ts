/** One request of a signal that was delivered, and whose handler has not seen it. */
interface OpenRequest {
  readonly ack: () => void;
  readonly returned: () => Promise<void>;
}

/** What came to one shard on one channel and has not started. It is acked once: when it starts, or when the shard leaves. */
export class OpenRequests {
  private readonly open = new Set<OpenRequest>();

  /**
   * A request has come.
   * @param ack tells the broker
   * @param returned tells the caller that it has not started and never will here
   * @returns what acks it when it starts
   */
  opened(ack: () => void, returned: () => Promise<void>): () => void {
    const request = { ack, returned };
    this.open.add(request);
    return () => {
      if (this.open.delete(request)) ack();
    };
  }

  /** Acks all. Returns what tells their callers, once the acks are certain. */
  giveBack(): () => Promise<unknown> {
    const left = [...this.open];
    this.drop();
    for (const { ack } of left) ack();
    return () => Promise.all(left.map(({ returned }) => returned()));
  }

  /** The channel is gone: the broker has them again. */
  drop(): void {
    this.open.clear();
  }
}
