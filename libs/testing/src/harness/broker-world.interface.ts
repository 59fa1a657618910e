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
  /** What waits for a broker that is away, in the order of the calls. */
  readonly waiting: Set<OutgoingMessage>;
  /** The app closes. */
  closes(): void;
  /** The broker takes the message. */
  published(message: OutgoingMessage): void;
  /** Whether the broker is to have the message, or it is recorded only. */
  delivers(message: OutgoingMessage): boolean;
}
