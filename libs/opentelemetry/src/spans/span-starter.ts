import type {
  CallbackOperation,
  ObservedInstance,
  Operation,
  PublishOperation,
  SignalOperation,
  Trace,
} from '@mississippi/core/telemetry';
import {
  context,
  SpanKind,
  trace,
  type Attributes,
  type Context,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api';
import { nameOf, typeOfOperation } from '../operations.js';
import { ATTEMPT, EPOCH, KEY, SIGNAL_NAME } from '../own-names.js';
import { Running } from '../running.js';
import {
  MESSAGING_DESTINATION_NAME,
  MESSAGING_DESTINATION_PARTITION_ID,
  MESSAGING_MESSAGE_CONVERSATION_ID,
  MESSAGING_MESSAGE_ID,
  MESSAGING_OPERATION_NAME,
  MESSAGING_OPERATION_TYPE,
} from '../semantic-conventions.js';
import { destinationAttributes } from '../destination-attributes.js';
import { extract, inject, originOf } from './carrier.js';
import { Started } from './started.js';

/** What a span is beside its operation. */
interface Plan {
  readonly kind: SpanKind;
  readonly parent: Context;
  readonly link: SpanContext | undefined;
  /** What this one does not have in common with others of its operation and shard. */
  readonly own: Attributes;
}

/** Begins the spans of one instance. */
export class SpanStarter {
  /** By the name of the operation and the shard. */
  private readonly shared = new Map<string, Attributes[]>();

  constructor(
    private readonly tracer: Tracer,
    private readonly instance: ObservedInstance,
    private readonly linkOnly: boolean,
  ) {}

  /** `undefined` where the operation is to have none. */
  start(operation: Operation): Started | undefined {
    switch (operation.kind) {
      case 'signal':
        return this.signal(operation);
      case 'callback':
        return this.callback(operation);
      default:
        return this.publish(operation);
    }
  }

  /**
   * A message that leaves. Its span is what others know it by, its creation context, unless its publisher gave it one, or it was
   * taken with a commit before.
   */
  private publish(operation: PublishOperation): Started | undefined {
    const { kind, message, parent } = operation;
    const given = extract(message.headers);
    const creation = originOf(given);
    if (creation !== undefined && kind === 'create') return undefined;
    const plan = {
      kind: creation === undefined ? SpanKind.PRODUCER : SpanKind.CLIENT,
      // Nobody is present when a message of the outbox leaves: it goes on where it was made.
      parent: kind === 'relay' ? given : (contextOf(parent) ?? context.active()),
      link: creation,
      own: idsOf(message),
    };
    return this.begin(operation, message.shard, message.key, plan, creation === undefined);
  }

  private signal(operation: SignalOperation): Started {
    const { shard, key, name } = operation;
    const own = name === undefined ? {} : { [SIGNAL_NAME]: name };
    const plan = { kind: SpanKind.PRODUCER, parent: context.active(), link: undefined, own };
    return this.begin(operation, shard, key, plan, true);
  }

  private callback(operation: CallbackOperation): Started {
    const { message, signalName, shard, key, epoch, attempt } = operation;
    const given = message && extract(message.headers);
    const own: Attributes = message === undefined ? {} : idsOf(message);
    if (message !== undefined) own[ATTEMPT] = attempt;
    if (signalName !== undefined) own[SIGNAL_NAME] = signalName;
    own[EPOCH] = epoch;
    const plan = {
      kind: typeOfOperation(operation) === 'process' ? SpanKind.CONSUMER : SpanKind.INTERNAL,
      parent: this.parentOf(operation, given),
      link: given && originOf(given),
      own,
    };
    return this.begin(operation, shard, key, plan, false);
  }

  /** A message that was delivered before may come long after its trace, whose first span of it is perhaps lost with its process. */
  private parentOf({ message, called, carried, parent }: CallbackOperation, given: Context | undefined): Context {
    if (parent !== undefined) return contextOf(parent) ?? context.active();
    if (called) return context.active();
    if (given === undefined) return extract(carried);
    return this.linkOnly || message?.redelivered === true ? trace.deleteSpan(given) : given;
  }

  private begin(
    operation: Operation,
    shard: number,
    key: Uint8Array,
    { kind, parent, link, own }: Plan,
    carries: boolean,
  ): Started {
    const span = this.tracer.startSpan(
      `${nameOf(operation)} ${this.instance.destination.template}`,
      {
        kind,
        attributes: { ...this.sharedBy(operation, shard), ...own },
        ...(link === undefined ? {} : { links: [{ context: link }] }),
      },
      parent,
    );
    // A sampler cannot go by the key, and what is not sampled need not be told it.
    if (span.isRecording()) span.setAttribute(KEY, this.instance.keyText(key));
    const inside = trace.setSpan(parent, span);
    return new Started(span, inside, carries ? inject(inside) : undefined);
  }

  private sharedBy(operation: Operation, shard: number): Attributes {
    const name = nameOf(operation);
    let byShard = this.shared.get(name);
    if (byShard === undefined) this.shared.set(name, (byShard = []));
    return (byShard[shard] ??= this.attributesOf(operation, shard));
  }

  private attributesOf(operation: Operation, shard: number): Attributes {
    const { destination } = this.instance;
    const type = typeOfOperation(operation);
    return {
      ...destinationAttributes(destination),
      [MESSAGING_DESTINATION_NAME]: destination.name(shard),
      [MESSAGING_DESTINATION_PARTITION_ID]: String(shard),
      [MESSAGING_OPERATION_NAME]: nameOf(operation),
      ...(type === undefined ? {} : { [MESSAGING_OPERATION_TYPE]: type }),
    };
  }
}

function idsOf({
  messageId,
  properties,
}: {
  readonly messageId: string | undefined;
  readonly properties?: { readonly correlationId?: string | undefined } | undefined;
}): Attributes {
  const ids: Attributes = {};
  if (messageId !== undefined) ids[MESSAGING_MESSAGE_ID] = messageId;
  if (properties?.correlationId !== undefined) ids[MESSAGING_MESSAGE_CONVERSATION_ID] = properties.correlationId;
  return ids;
}

/** Of a callback's trace, where that made a span. */
function contextOf(parent: Trace | undefined): Context | undefined {
  return parent instanceof Running ? parent.context : undefined;
}
