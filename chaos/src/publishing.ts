import { REPLAY_HEADER, type EventsProducer } from '@mississippi/core';
import { readHistoryOf, refOf, refOfId, type MessageRef, type Recorder } from '@mississippi/history';
import { Seeded } from '#support/seeded.js';
import { Popularity, shuffled } from './popularity.js';
import { keysOf, type ProcessPlan } from './protocol.js';
import { bodyOf, repeatOf, replayed } from './store/bookings.js';
import type { Enqueuer } from './store/enqueuer.js';
import { hash } from './tasks.js';

/** How often what is due is published. Milliseconds. */
const BEAT = 20;

/** Messages under way above which publishing rests. */
const MOST_UNCONFIRMED = 500;

/** Of a hundred messages so many are published with a transaction, where there is a store. */
const ENQUEUED = 10;
/** Transactions that wait, above which there are no more. */
const MOST_ENQUEUED = 100;

/** What a message says. */
export interface Body {
  readonly payload: unknown;
  readonly garbled: boolean;
}

/** Publishes at the plan's rate, going on where the process before in this place has ended. */
export class Publishing {
  private readonly random: Seeded;
  private readonly popularity: Popularity;
  private readonly rate: number;
  private readonly next = new Map<string, number>();
  private readonly left: readonly MessageRef[];
  private unconfirmed = 0;
  private producer: EventsProducer | undefined;
  private paused = false;
  private finishing = false;
  /** Whoever paused or finished this process waits to hear that everything is confirmed. */
  private toTell = false;

  /** Made before the process records anything itself. */
  constructor(private readonly plan: ProcessPlan) {
    const place = plan.name.split('.')[0]!;
    this.random = new Seeded(plan.seed ^ hash(plan.name));
    this.rate = plan.rate / plan.publishers;
    // Whoever runs here has the same hot keys.
    const keys = shuffled(keysOf(plan), new Seeded(plan.seed ^ hash(place)));
    this.popularity = new Popularity(keys, this.rate, this.random);
    this.left = this.unconfirmedOfPredecessors(place);
  }

  /** @param tell called once everything is confirmed, after {@link pause} or {@link finish} */
  start(
    producer: EventsProducer,
    recorder: Recorder,
    messageOf: (ref: MessageRef) => Body,
    enqueuer: Enqueuer | undefined,
    tell: () => void,
  ): void {
    const { rate, random } = this;
    this.producer = producer;
    const submit = (ref: MessageRef, payload: unknown, confirmed?: () => void): void => {
      this.unconfirmed++;
      producer.publish(payload, { shardingKey: ref.key, messageId: ref.id }).then(
        () => {
          this.unconfirmed--;
          confirmed?.();
        },
        (error: unknown) => {
          this.unconfirmed--;
          console.error(`${ref.id} was refused: ${String(error)}`);
          recorder.record({ type: 'refused', ...ref });
        },
      );
    };
    const publish = (ref: MessageRef): void => {
      const { payload, garbled } = messageOf(ref);
      recorder.record({ type: 'published', ...ref, garbled });
      const again = this.plan.store === undefined ? undefined : repeatOf(ref.key, ref.seq, this.plan);
      submit(ref, payload, () => {
        recorder.record({ type: 'confirmed', ...ref });
        if (again !== undefined && again > 0) setTimeout(() => submit(ref, payload), again);
      });
      if (again === 0) submit(ref, payload);
    };
    // First of all what may be missing, in its old order: only then the keys go on without a gap.
    for (const ref of this.left) publish(ref);
    let due = 0;
    let then = performance.now();
    const beat = setInterval(() => {
      const now = performance.now();
      // What a stop of this process has missed is not made up for.
      due += (rate * Math.min(now - then, 5 * BEAT)) / 1_000;
      then = now;
      const rests = this.paused || this.finishing;
      for (; due >= 1 && this.unconfirmed < MOST_UNCONFIRMED && !rests; due--) {
        const key = `k${this.popularity.next()}`;
        if (enqueuer !== undefined && random.below(100) < ENQUEUED && enqueuer.backlog < MOST_ENQUEUED) {
          enqueuer.add(key);
        } else publish(this.take(key));
      }
      due = Math.min(due, rate);
      if (!this.toTell || this.unconfirmed > 0 || enqueuer?.idle === false) return;
      this.toTell = false;
      if (this.finishing) clearInterval(beat);
      tell();
    }, BEAT);
  }

  /** A dead letter's message again. */
  replay(key: string, seq: number): void {
    this.unconfirmed++;
    const messageId = refOf(key, seq).id;
    const options = { shardingKey: key, messageId, headers: { [REPLAY_HEADER]: 1 } };
    this.producer!.publish(bodyOf(replayed(key, seq, this.plan)), options).then(
      () => this.unconfirmed--,
      (error: unknown) => {
        this.unconfirmed--;
        console.error(`the replay of ${messageId} was refused: ${String(error)}`);
      },
    );
  }

  pause(): void {
    this.paused = this.toTell = true;
  }

  goOn(): void {
    this.paused = this.toTell = false;
  }

  finish(): void {
    this.finishing = this.toTell = true;
  }

  private take(key: string): MessageRef {
    const seq = this.next.get(key) ?? 0;
    this.next.set(key, seq + 1);
    return refOf(key, seq);
  }

  /** What an earlier process in this place published and does not know to be confirmed; and where each key goes on. */
  private unconfirmedOfPredecessors(place: string): MessageRef[] {
    const open = new Map<string, MessageRef>();
    for (const event of readHistoryOf(this.plan.folder, place)) {
      if (event.type === 'published') {
        open.delete(event.id);
        open.set(event.id, refOfId(event.id));
        this.next.set(event.key, Math.max(this.next.get(event.key) ?? 0, event.seq + 1));
      } else if (event.type === 'confirmed' || event.type === 'refused') {
        open.delete(event.id);
      }
    }
    return [...open.values()];
  }
}
