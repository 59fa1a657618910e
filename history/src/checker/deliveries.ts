import type { Delivered, EventOf } from '../events.js';
import type { KnownLimits } from './limits.js';
import type { Messages } from './messages.js';
import type { Operators } from './operators.js';
import type { Findings } from './promises.js';
import { leaveQueue, queueOf, type DeliveryState, type EpochState, type MessageState, type Queued } from './records.js';

type Finishing = Delivered & { readonly type: 'settled' | 'parked' | 'deadLettered'; readonly process: string };

/**
 * What an epoch was given, and how it is finished: once, by the delivery that brought it, in the epoch that brought it,
 * for a reason. Within an epoch a key's messages are attempted in the order in which they came.
 */
export class Deliveries {
  /** By process and number. */
  private readonly numbered = new Map<string, Map<number, DeliveryState>>();
  private readonly dropped = new Set<string>();

  constructor(
    private readonly findings: Findings,
    private readonly limits: KnownLimits,
    private readonly messages: Messages,
    private readonly operators: Operators,
  ) {}

  delivered(event: EventOf<'delivered'>, epoch: EpochState): void {
    const { id, key, process, delivery: number } = event;
    this.messages.expectPublished(event, 'was delivered');
    if (epoch.over === 'lost') {
      // What a reader was asked for before that may be answered after it, where the broker lives in the process.
      if (event.fromSide && this.limits.ackDelay === 0) return;
      this.findings.add('deliveredInLostEpoch', `${id} was delivered in ${epoch.name}, which was lost`, key);
      return;
    }
    const message = this.messages.of(event);
    const delivery: DeliveryState = {
      id,
      message,
      epoch,
      fromSide: event.fromSide,
      aside: event.fromSide,
      started: false,
      parking: false,
      dropping: false,
      settledAt: Infinity,
      returned: false,
    };
    const ofProcess = this.numbered.get(process);
    if (ofProcess === undefined) this.numbered.set(process, new Map([[number, delivery]]));
    else ofProcess.set(number, delivery);
    queueOf(epoch, key).push(delivery);
    epoch.unsettled.add(delivery);
  }

  /** An operator said that what is parked of a key need not be handled. */
  droppedKey(key: string): void {
    this.dropped.add(key);
  }

  parking(event: Delivered & { process: string }): void {
    this.messages.everParked = true;
    this.messages.of(event).wasParked = true;
    const delivery = this.numbered.get(event.process)?.get(event.delivery);
    if (delivery !== undefined) delivery.parking = delivery.aside = true;
  }

  deadLettering(event: Delivered & { reason: string; process: string }, epoch: EpochState): void {
    const { id, key, reason } = event;
    const { garbled } = this.messages.of(event);
    const delivery = this.numbered.get(event.process)?.get(event.delivery);
    // One that is not taken is sent again.
    const dropped = reason === 'dropped' && (delivery?.dropping === true || this.operators.dropping(key));
    if (delivery !== undefined) delivery.dropping ||= dropped;
    const justified =
      (reason === 'discarded' && epoch.discards.has(id)) ||
      (reason === 'attempts_exhausted' &&
        (epoch.attempts.get(id) ?? 0) >= (this.limits.attempts === Infinity ? 1 : this.limits.attempts)) ||
      (/^(payload|key)_/.test(reason) && garbled) ||
      dropped ||
      (reason === 'dropped' && this.dropped.has(key));
    if (justified) return;
    this.findings.add('unjustifiedDeadLetter', `${id} goes to the dead letters as ${reason}, for no reason`, key);
  }

  /** What was on its way when its epoch ended was taken before that, where the broker lives in the process. */
  finished(event: Finishing, epoch: EpochState): void {
    const { id, key, process, type } = event;
    const message = this.messages.of(event);
    const delivery = this.numbered.get(process)?.get(event.delivery);
    const instant = this.limits.ackDelay === 0;
    this.checkDelivery(event, epoch, delivery, message);
    if (epoch.over !== undefined && (type === 'settled' || !instant)) {
      this.findings.add('settledInLostEpoch', `${id} was settled in ${epoch.name}, which has ended`, key);
      if (instant) return;
    }
    if (type === 'settled' && message.done === 0) {
      this.findings.add('settledUnhandled', `${id} was settled in ${process} before it was handled`, key);
    }
    if (type === 'deadLettered') {
      this.messages.finished(message);
      if (delivery?.dropping === true) {
        this.operators.deadLettered(key);
        this.messages.dropped(message);
      }
    }
    if (type !== 'parked') {
      if (message.gone && instant) this.findings.add('settledTwice', `${id} was settled twice`, key);
      message.gone = true;
    }
    if (delivery !== undefined) this.leave(delivery, key);
  }

  /** Returns the delivery that an attempt is at. */
  started({ id, key }: EventOf<'started'>, epoch: EpochState, text: string): void {
    const attempts = (epoch.attempts.get(id) ?? 0) + 1;
    epoch.attempts.set(id, attempts);
    const { wasParked, resent, running } = this.messages.of({ id, key, seq: -1 });
    running.add(epoch);
    if (attempts > this.limits.attempts && !wasParked && !resent) {
      this.findings.add('tooManyAttempts', `${text} is one attempt too many`, key);
    }
    this.inTurn(id, key, epoch, text);
    for (const one of queueOf(epoch, key)) if (one.id === id && 'started' in one) (one as DeliveryState).started = true;
  }

  /** The first that waits is the first that is attempted. */
  inTurn(id: string, key: string, epoch: EpochState, text: string): void {
    if (epoch.over !== undefined) return;
    const queue = queueOf(epoch, key);
    const own = queue.find((one) => one.id === id);
    const first = queue.find((one) => one === own || (!one.aside && !this.awaitsCommit(one)));
    if (own === undefined) {
      this.findings.add('overtaking', `${text} is no message of its epoch`, key);
    } else if (!own.aside && first !== own) {
      this.findings.add('overtaking', `${text} overtakes ${first!.id}, which came before it`, key);
    }
  }

  private awaitsCommit(one: Queued): boolean {
    return this.limits.settlesLater && 'message' in one && (one as DeliveryState).message.done > 0;
  }

  private checkDelivery(
    event: Finishing,
    epoch: EpochState,
    delivery: DeliveryState | undefined,
    message: MessageState,
  ): void {
    const { id, key, process } = event;
    if (delivery === undefined || delivery.message !== message) {
      const text = `${id} was settled in ${process} by a delivery that did not bring it`;
      this.findings.add('settledUnhandled', text, key);
    } else if (delivery.epoch !== epoch) {
      const text = `${id} came in ${delivery.epoch.name} and was settled in ${epoch.name}`;
      this.findings.add('settledInLostEpoch', text, key);
    } else if (delivery.settledAt < Infinity) {
      this.findings.add('settledTwice', `the delivery ${event.delivery} of ${id} in ${process} was settled twice`, key);
    }
  }

  private leave(delivery: DeliveryState, key: string): void {
    const { epoch } = delivery;
    delivery.settledAt = this.findings.now;
    epoch.unsettled.delete(delivery);
    epoch.settled.push(delivery);
    leaveQueue(epoch, key, delivery);
  }
}
