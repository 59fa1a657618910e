import type { MemoryBroker } from '@mississippi/core';
import type { OutgoingMessage } from '@mississippi/core/transport';

/** While the broker is away. */
export interface Absence {
  readonly publishes: 'wait' | 'reject';
  readonly over: Promise<void>;
  readonly end: () => void;
}

/** What stands for the broker of one instance. */
export interface BrokerWorld {
  readonly broker: MemoryBroker;
  readonly prefetch: number;
  readonly absence: Absence | undefined;
  /** The message is on its way to the broker. Returns whether the broker is to have it. */
  published(message: OutgoingMessage): boolean;
}
