import type { Delivery } from '../../transport/transport.interface.js';
import type { MessageHeaders } from '../../interfaces/message-headers.interface.js';
import type { MessageProperties } from '../../interfaces/message-properties.interface.js';
import type { MessageOutcome } from '../../outcomes.js';
import type { FifoItem } from '../../collections/fifo.js';
import type { Caller } from '../base/caller.js';
import type { FailurePolicy } from '../base/failure-policy.js';
import type { InboxMark } from '../commits/inbox-mark.js';

/** A message in a key's FIFO, whatever brought it. */
export abstract class TrackedMessage implements FifoItem<TrackedMessage> {
  next: TrackedMessage | undefined = undefined;
  /** What the store's inbox said about it; `undefined` without a store. */
  mark: InboxMark | undefined = undefined;
  /** That of the method that handles it, where it has one of its own; known from its first attempt on. */
  policy: FailurePolicy | undefined = undefined;

  /** @param receivedAt on the engine's clock */
  constructor(readonly receivedAt: number) {}

  abstract readonly redelivered: boolean;
  abstract readonly messageId: string | undefined;
  abstract readonly timestamp: number | undefined;
  abstract readonly headers: MessageHeaders;
  abstract readonly properties: MessageProperties | undefined;
  /** Who waits for it, if somebody does. */
  abstract readonly caller: Caller | undefined;
}

/** A message of the transport: it is settled there, and dead-lettered or parked there when it cannot be handled. */
export class DeliveredMessage extends TrackedMessage {
  constructor(
    receivedAt: number,
    readonly delivery: Delivery,
    /** Whether it was read from the side queue. */
    readonly fromSideQueue: boolean,
    /** Whether its attempt succeeded in the last epoch, so that only its settlement is missing. */
    public handledBefore: boolean,
  ) {
    super(receivedAt);
  }

  get caller(): undefined {
    return undefined;
  }
  get redelivered(): boolean {
    return this.delivery.redelivered;
  }
  get messageId(): string | undefined {
    return this.delivery.messageId;
  }
  get timestamp(): number | undefined {
    return this.delivery.timestamp;
  }
  get headers(): MessageHeaders {
    return this.delivery.headers;
  }
  get properties(): MessageProperties | undefined {
    return this.delivery.properties;
  }
}

const NO_HEADERS: MessageHeaders = Object.freeze({});

/** A message that a caller of the service waits for. */
export class DirectTrackedMessage extends TrackedMessage {
  readonly redelivered = false;
  /** Whether its caller still waits: without one it is not tried again. */
  awaited = true;
  /** Whether its attempt has ended, and only its commit is missing. */
  ended = false;
  /** How often `init` failed while it waited behind a message that was tried. */
  startFailures = 0;

  constructor(
    receivedAt: number,
    readonly payload: unknown,
    readonly messageId: string | undefined,
    readonly timestamp: number | undefined,
    headers: MessageHeaders | undefined,
    readonly properties: MessageProperties | undefined,
    readonly caller: Caller,
    readonly resolve: (outcome: MessageOutcome<unknown>) => void,
    readonly reject: (error: unknown) => void,
  ) {
    super(receivedAt);
    this.headers = headers ?? NO_HEADERS;
  }

  readonly headers: MessageHeaders;
}
