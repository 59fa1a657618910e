import type { ShardConsumer } from '../../transport/transport.interface.js';

/** Types of messages that are paused, for all who consume from the broker. */
export class TypePauses {
  private readonly paused = new Set<string>();
  private readonly consumers = new Set<ShardConsumer>();

  get types(): readonly string[] {
    return [...this.paused].sort();
  }

  add(consumer: ShardConsumer): void {
    this.consumers.add(consumer);
    if (this.paused.size > 0) consumer.pauseTypes?.(this.types);
  }

  remove(consumer: ShardConsumer): void {
    this.consumers.delete(consumer);
  }

  set(type: string, paused: boolean): void {
    if (paused) this.paused.add(type);
    else this.paused.delete(type);
    for (const consumer of this.consumers) consumer.pauseTypes?.(this.types);
  }
}
