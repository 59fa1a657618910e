/** The stream of a connection, as far as it is written to. */
export interface CorkableStream {
  write(chunk: Buffer, ...rest: unknown[]): boolean;
  cork(): void;
  uncork(): void;
}

/**
 * Sends what is written in one go by one system call. amqplib writes each message and each ack by itself, and a call costs
 * more than all else that it does for them. Nothing waits: the next tick comes before the event loop goes on.
 */
export function writeTogether(stream: CorkableStream): void {
  const write = stream.write.bind(stream);
  let corked = false;
  const uncork = (): void => {
    corked = false;
    stream.uncork();
  };
  stream.write = (chunk, ...rest) => {
    if (!corked) {
      corked = true;
      stream.cork();
      process.nextTick(uncork);
    }
    return write(chunk, ...rest);
  };
}
