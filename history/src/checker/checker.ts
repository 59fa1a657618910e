import { inOrderOfTime, type Called, type EpochRef, type EventOf, type HistoryEvent } from '../events.js';
import { Callbacks } from './callbacks.js';
import { Deliveries } from './deliveries.js';
import { Directs } from './directs.js';
import { Epochs } from './epochs.js';
import { Faults } from './faults.js';
import { knownLimits, type KnownLimits, type Limits } from './limits.js';
import { Messages, type Backlog } from './messages.js';
import { Operators } from './operators.js';
import { Findings, type Violation } from './promises.js';
import { Returns } from './returns.js';
import type { EpochState } from './records.js';
import { Signals, type SignalCounts } from './signals.js';

export interface Verdict {
  readonly violations: readonly Violation[];
  readonly published: number;
  readonly confirmed: number;
  /** Messages that were handled or dead-lettered, once or more. */
  readonly done: number;
  readonly attempts: number;
  /** How often a message was done once more than needed. */
  readonly duplicates: number;
  /** How often the faults may have brought a message again: unsettled deliveries and unconfirmed messages at each. */
  readonly mostDuplicates: number;
  readonly epochs: number;
  readonly backlog: Backlog;
  readonly signals: SignalCounts;
  /** How often a planted fault did something. */
  readonly strikes: number;
}

/** Goes through a history event by event and notes what the promises do not allow. It knows nothing of the library. */
export class Checker {
  private readonly findings = new Findings();
  private readonly limits: KnownLimits;
  private readonly faults: Faults;
  private readonly messages: Messages;
  private readonly epochs: Epochs;
  private readonly deliveries: Deliveries;
  private readonly callbacks: Callbacks;
  private readonly operators: Operators;
  private readonly directs: Directs;
  private readonly signals: Signals;
  private readonly returns: Returns;
  private attempts = 0;
  private strikes = 0;
  private left: EventOf<'stuck'> | undefined;

  constructor(limits: Limits = {}) {
    const { findings } = this;
    this.limits = knownLimits(limits);
    this.faults = new Faults(findings);
    this.messages = new Messages(findings, this.limits, this.faults);
    this.epochs = new Epochs(findings, this.limits, this.faults);
    this.callbacks = new Callbacks(findings, this.limits, this.faults);
    this.operators = new Operators(findings, this.callbacks);
    this.deliveries = new Deliveries(findings, this.limits, this.messages, this.operators);
    this.directs = new Directs(findings);
    this.signals = new Signals(findings, this.limits);
    this.returns = new Returns(this.limits);
  }

  /** What was found so far. */
  get violations(): readonly Violation[] {
    return this.findings.violations;
  }

  see(event: HistoryEvent): void {
    this.findings.order++;
    this.findings.now = event.mono;
    if ('epoch' in event) this.seeInEpoch(event);
    else this.seeOutside(event);
  }

  /** Everything came to rest, or did not. */
  end(): Verdict {
    const duplicates = this.messages.end(this.left);
    this.callbacks.end();
    this.directs.end();
    this.signals.end();
    const mostDuplicates = this.returns.most + this.messages.mostResent;
    if (duplicates > mostDuplicates) {
      const text = `${duplicates} messages were handled again, but the faults explain only ${mostDuplicates}`;
      this.findings.add('unexplainedDuplicate', text);
    }
    const all = [...this.messages.all.values()];
    const { violations, attempts, strikes } = this;
    return {
      violations,
      attempts,
      strikes,
      duplicates,
      mostDuplicates,
      published: all.length,
      confirmed: all.filter(({ confirmed }) => confirmed).length,
      done: all.filter(({ done }) => done > 0).length,
      epochs: this.epochs.count,
      backlog: this.messages.backlog,
      signals: this.signals.counts,
    };
  }

  private seeInEpoch(event: HistoryEvent & EpochRef): void {
    if (event.type === 'owned') {
      this.returns.opened(this.epochs.owned(event));
      this.operators.owned(event);
      return;
    }
    const epoch = this.epochs.of(event.process, event);
    switch (event.type) {
      case 'delivered':
        return this.deliveries.delivered(event, epoch);
      case 'parking':
        this.returns.parking(event.shard, this.messages.of(event));
        return this.deliveries.parking(event);
      case 'deadLettering':
        return this.deliveries.deadLettering(event, epoch);
      case 'settled':
      case 'parked':
      case 'deadLettered':
        return this.deliveries.finished({ ...event, type: event.type }, epoch);
      case 'started':
        return this.started(event, epoch);
      case 'ended':
        return this.ended(event, epoch);
      case 'accepted':
        return this.directs.accepted(event, epoch);
      default:
        this.seeOwnership(event, epoch);
    }
  }

  private seeOwnership({ type }: HistoryEvent, epoch: EpochState): void {
    if (type === 'releasing') this.epochs.releasing(epoch);
    else if (type === 'released' || type === 'lost') this.epochOver(epoch, type, type === 'lost');
    else if (type === 'suspended' || type === 'assured') epoch.suspended = type === 'suspended';
  }

  private seeOutside(event: HistoryEvent): void {
    switch (event.type) {
      case 'published':
        return this.messages.published(event);
      case 'confirmed':
      case 'refused':
      case 'excused':
        return this.messages.answered(event);
      case 'interrupted':
        return this.messages.interrupted(event);
      case 'directed':
        return this.directs.directed(event);
      case 'answered':
        return this.directs.answered(event);
      case 'signalled':
        return this.signals.signalled(event);
      case 'signalEnded':
        return this.signals.told(event);
      default:
        this.seeAround(event);
    }
  }

  /** What happens to the processes and in the broker. */
  private seeAround(event: HistoryEvent): void {
    switch (event.type) {
      case 'fault':
        this.faults.fault(event);
        return this.returns.fault(event, this.epochs.all());
      case 'healed':
        return this.faults.healed(event);
      case 'missing':
        return this.findings.add('missing', `${event.queue} ${event.text}`);
      case 'tookBack':
        return this.findings.add('tookBack', event.text);
      case 'exited':
        return this.exited(event);
      case 'operator':
        return event.call === 'drop' ? this.deliveries.droppedKey(event.key) : undefined;
      case 'asked':
        return this.operators.asked(event);
      case 'granted':
        return this.operators.granted(event);
      case 'declined':
        return this.operators.declined(event);
      case 'idled':
        return this.callbacks.checkNoneLive();
      case 'stuck':
        this.left = event;
        break;
      case 'struck':
        this.strikes++;
    }
  }

  private started(event: EventOf<'started'>, epoch: EpochState): void {
    const text = textOf(event, epoch);
    this.callbacks.started(event, epoch, text);
    this.epochs.started(event, epoch, text);
    if (event.callback === 'handleSignal') this.signals.started(event, text);
    if (event.callback !== 'handleMessage') return;
    this.attempts++;
    if (this.directs.has(event.id)) {
      this.deliveries.inTurn(event.id, event.key, epoch, text);
      return;
    }
    this.messages.started(event);
    this.operators.started(event.key, this.messages.of(event).type, text);
    this.deliveries.started(event, epoch, text);
  }

  private ended(event: EventOf<'ended'>, epoch: EpochState): void {
    if (event.callback === 'handleSignal') this.signals.ended(event);
    if (!this.callbacks.ended(event) || event.callback !== 'handleMessage') return;
    if (this.directs.has(event.id)) {
      this.directs.ended(event);
      return;
    }
    if (event.outcome === 'discarded') epoch.discards.add(event.id);
    const message = this.messages.of(event);
    message.running.delete(epoch);
    this.messages.ended(event, message);
  }

  private epochOver(epoch: EpochState, how: 'lost' | 'released' | 'exited', remembers: boolean): void {
    // What a fault kept from arriving comes again, though its shard was handed over in good order since.
    const returns = how !== 'released' || epoch.struck !== undefined;
    if (epoch.over === undefined && returns) this.returns.lost(epoch, this.findings.now, remembers);
    this.epochs.over(epoch, how);
  }

  private exited({ target, how }: EventOf<'exited'>): void {
    if (how === 'crashed') this.findings.add('crashed', `${target} ended by itself`);
    this.callbacks.exited(target, how);
    this.directs.exited(target, how);
    this.signals.exited(target, how);
    for (const epoch of this.epochs.ofProcess(target)) {
      if (how === 'left') this.epochs.over(epoch, 'exited');
      else this.epochOver(epoch, 'exited', false);
    }
  }
}

function textOf({ callback, id, key }: Called, { name }: EpochState): string {
  return `${callback}(${id === '' ? key : id}) in ${name}`;
}

/** Checks a finished history, in any order of its files. */
export function checkHistory(events: readonly HistoryEvent[], limits: Limits = {}): Verdict {
  const checker = new Checker(limits);
  for (const event of inOrderOfTime(events)) checker.see(event);
  return checker.end();
}
