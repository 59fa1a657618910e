import type { Witness } from '../faults/witness.js';

/** Takes the dead letters out of their queue. There may be two of one id. */
export class Letters {
  readonly ids = new Map<string, number>();

  constructor(private readonly witness: Witness) {}

  async collect(): Promise<void> {
    const queue = this.witness.names.deadLetters;
    if ((await this.witness.queue(queue)) === undefined) return;
    await this.witness.onChannel(async (channel) => {
      for (;;) {
        const message = await channel.get(queue);
        if (message === false) return;
        const id = String(message.properties.messageId);
        this.ids.set(id, (this.ids.get(id) ?? 0) + 1);
        channel.ack(message);
      }
    });
  }
}
