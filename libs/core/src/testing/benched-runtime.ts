import { Subject } from 'rxjs';
import { Engine, type EngineParts } from '../engine/engine.js';
import type { MississippiEvent } from '../interfaces/events.interface.js';
import { encodeShardingKey, type ShardingKey } from '../keys/sharding-key.js';
import type { PayloadCodec } from '../interfaces/payload-codec.interface.js';
import { codecOf } from '../payload/payload-format.js';
import { DataUpdaterService, type EngineAccess } from '../services/data-updater.service.js';
import { EventsProducer } from '../services/events-producer.service.js';
import type { Transport } from '../transport/transport.interface.js';
import type { BenchNote, UnfinishedWork } from './bench-work.interface.js';
import type { BenchedInstance, TestBench } from './test-bench.interface.js';

/** Where the engines of an instance on a bench live. */
export interface EngineSeat {
  /** What services get. Its engine throws `NotStartedError` while there is none. */
  readonly services: EngineAccess;
  /** Takes a new one in, and connects it. */
  begin(engine: Engine, transport: Transport): Promise<void>;
  /** There is none any more. */
  gone(): void;
  /** What the app's own listeners hear. */
  told(event: MississippiEvent): void;
  /** They hear nothing more. */
  over(): void;
}

/** An instance on a test bench: one engine for each life of its process. */
export class BenchedRuntime implements BenchedInstance {
  readonly name: string;
  readonly producerOnly: boolean;
  readonly dataUpdaters: DataUpdaterService;
  readonly producer: EventsProducer;
  private readonly codec: PayloadCodec;
  /** The process that lives; `undefined` after a crash. */
  private life: object | undefined;

  constructor(
    private readonly bench: TestBench,
    private readonly parts: EngineParts,
    private readonly transport: Transport,
    private readonly seat: EngineSeat,
  ) {
    this.name = parts.options.instance;
    this.producerOnly = parts.options.producerOnly;
    this.codec = codecOf(parts.options.payload);
    this.dataUpdaters = new DataUpdaterService(seat.services);
    this.producer = new EventsProducer(seat.services);
  }

  async start(): Promise<void> {
    const { transport, store, clock, random, around, told } = this.bench.equip(this, {
      transport: this.transport,
      store: this.parts.store,
    });
    const life = {};
    this.life = life;
    const events = new Subject<MississippiEvent>();
    // What a process that is gone still says, nobody hears.
    events.subscribe({
      next: (event: MississippiEvent | BenchNote) => {
        if (this.life !== life) return;
        told(event);
        if (!('note' in event)) this.seat.told(event);
      },
      complete: () => {
        if (this.life === life) this.seat.over();
      },
    });
    await this.seat.begin(new Engine({ ...this.parts, store, clock, random, around, events }), transport);
  }

  async restart(): Promise<void> {
    await this.start();
    await this.seat.services.engine.consume();
  }

  crash(): void {
    this.life = undefined;
    this.seat.gone();
  }

  unfinished(): readonly UnfinishedWork[] {
    return this.life === undefined ? [] : this.seat.services.engine.unfinished();
  }

  liveState(key: ShardingKey): { readonly state: unknown } | undefined {
    return this.life === undefined ? undefined : this.seat.services.engine.liveState(encodeShardingKey(key));
  }

  decode(body: Uint8Array): unknown {
    return this.codec.decode(body);
  }

  note(note: unknown): void {
    if (this.life !== undefined) this.seat.services.engine.note({ note });
  }
}
