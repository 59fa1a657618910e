import type { MessageHeaders, MessageProperties } from '@mississippi/core';
import type { TransportConnection } from '@mississippi/core/transport';

/**
 * What a harness may be unable to do to its broker; `signals`, which a transport that lives in one process has none of:
 * its connections leave out `sendSignal`; and `deadLetterReader`, where they leave out `readDeadLetters`. What is lacking must be listed in {@link TransportHarness.unsupported}, so that a
 * gap in the proof is seen.
 * @publicApi
 */
export type Capability = 'loseShard' | 'block' | 'injectRaw' | 'signals' | 'deadLetterReader';

/** @publicApi */
export interface OpenOptions {
  /** Number of shards; the same in every call between two resets. */
  readonly totalCount: number;
  /** Maximum number of unsettled deliveries per shard. */
  readonly prefetch: number;
  /** The connection publishes only: `consume` will not be called on it. */
  readonly producerOnly: boolean;
}

/**
 * A message among the dead letters.
 * @publicApi
 */
export interface DeadLetter {
  /** The sharding key in the external term format, as it arrived; `undefined` where the message had none. */
  readonly key: Uint8Array | undefined;
  readonly body: Uint8Array;
  /** The message's own headers and what was noted. */
  readonly headers: MessageHeaders;
  readonly messageId: string | undefined;
  /** Unix time in seconds. */
  readonly timestamp: number | undefined;
  /** What else its publisher said of it; left out where that was nothing. */
  readonly properties?: MessageProperties | undefined;
}

/**
 * A message as a foreign producer may write it: nothing of it can be relied on.
 * @publicApi
 */
export interface RawMessage {
  /** The bytes of the sharding key, perhaps no term at all; left out: no key. */
  readonly key?: Uint8Array;
  readonly body: Uint8Array;
  readonly headers?: MessageHeaders;
  readonly messageId?: string;
  /** Unix time in seconds. */
  readonly timestamp?: number;
  readonly properties?: MessageProperties;
}

/**
 * What the conformance suite needs to have done to a transport and its broker. One harness serves all cases, one after
 * the other, never two at once.
 * @publicApi
 */
export interface TransportHarness {
  /**
   * The longest silence in milliseconds after which a case that waits for an event gives up. Cases wait for events and
   * never for time, so a large value costs nothing while they pass: take several times what the recovery from a crash
   * may last.
   */
  readonly within: number;

  /** Whether messages outlive the process that published them, as the connection must say. */
  readonly durable: boolean;

  /** The optional capabilities that this harness does not have; `[]` when it has all. */
  readonly unsupported: readonly Capability[];

  /**
   * Gives the next case an empty broker space of its own: no queue, no message and no connection of an earlier case may
   * be seen in it.
   */
  reset(): Promise<void>;

  /** A new connection to the space, as another process would open it. All connections of a case see the same queues. */
  open(options: OpenOptions): Promise<TransportConnection>;

  /**
   * Ends a connection abruptly and for good, as a killed process would: nothing that it still holds back may reach the
   * broker, and it must not come back by itself. Resolves when this is certain; the broker may notice later. Cases
   * expect nothing of what the connection says from then on.
   */
  crash(connection: TransportConnection): Promise<void>;

  /** Takes everything out of the dead letters and returns it, oldest first. */
  deadLetters(): Promise<readonly DeadLetter[]>;

  /**
   * Ends the epoch of one shard that the connection owns, abruptly and from outside: neither the session nor the
   * connection is asked, and the connection lives on.
   */
  loseShard?(connection: TransportConnection, shard: number): Promise<void>;

  /**
   * From now on the broker takes no messages, as under a memory alarm. It may still take one of each connection, as
   * RabbitMQ does, which stops reading a connection when it publishes.
   */
  block?(): Promise<void>;

  /** Ends {@link block}. Calling it when nothing is blocked does nothing. */
  unblock?(): Promise<void>;

  /** Puts a foreign message straight into a shard's queue. Called when a connection is open; resolves when it is there. */
  injectRaw?(shard: number, message: RawMessage): Promise<void>;
}
