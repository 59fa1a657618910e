import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type {
  Clock,
  ProcessInfo,
  ShardConsumer,
  TransportConnection,
  TransportContext,
  TransportStatus,
} from '@mississippi/core/transport';
import { BrokerConnection } from './connection/broker-connection.js';
import { LazyChannel } from './connection/lazy-channel.js';
import { within } from './connection/timers.js';
import type { Settings } from './options/settings.js';
import { RollCall } from './ownership/roll-call.js';
import { ShardClaims } from './ownership/shard-claims.js';
import { RabbitPublisher } from './publishing/rabbit-publisher.js';
import { StallFence } from './sessions/stall-fence.js';
import { SignalCaller } from './signals/signal-caller.js';
import { SignalResponder } from './signals/signal-responder.js';
import { Topology } from './topology/topology.js';

/** How long closing waits for confirms. Milliseconds. */
const FLUSH_TIMEOUT = 2_000;

/**
 * Puts the parts together. Two connections: one publishes, one consumes, so that an alarm that stops publishers leaves
 * consumers alone.
 */
export class RabbitMqConnection implements TransportConnection {
  readonly durable = true;
  readonly totalCount: number;
  readonly prefetch: number;
  readonly deliveryTimeout: number;
  readonly maxSignalSize: number;
  readonly publisher: RabbitPublisher;
  private readonly clock: Clock;
  private readonly publishing: BrokerConnection;
  private readonly consuming: BrokerConnection;
  private readonly topology: Topology;
  private readonly fence: StallFence;
  private readonly claims: ShardClaims;
  private readonly signals: SignalCaller;
  private readonly rollCall: RollCall;
  private consumes = false;
  /** Nothing is claimed any more. */
  private stopped = false;
  private redeclaring = false;

  constructor(settings: Settings, { instance, logger, clock, keyText }: TransportContext) {
    this.totalCount = settings.totalCount;
    this.prefetch = settings.prefetch;
    this.deliveryTimeout = settings.deliveryTimeout;
    this.maxSignalSize = settings.maxMessageSize;
    this.clock = clock;
    const id = randomBytes(8).toString('hex');
    const name = `mississippi ${instance} ${hostname()}:${process.pid}:${id.slice(0, 4)}`;
    const topology = new Topology(settings);
    const { names } = topology;
    const processQueue = names.process(id);
    const publishing = new BrokerConnection(settings, `${name} publishes`, logger, clock);
    const connection = new BrokerConnection(settings, `${name} consumes`, logger, clock);
    const publisher = new RabbitPublisher(publishing, settings, names, clock, logger, () => void this.redeclare());
    const survey = new LazyChannel(connection);
    const fence = fenceOf(connection, survey, topology, clock);
    this.claims = new ShardClaims(
      { connection, survey, publisher, fence, topology, settings, clock, logger },
      new SignalResponder(publishing, names, settings.maxMessageSize, processQueue),
    );
    const self = () => ({ name, shards: this.claims.indexes });
    this.rollCall = new RollCall(publishing, connection, topology, processQueue, self, clock);
    this.signals = new SignalCaller(publishing, names, settings.maxMessageSize, clock, keyText);
    this.publisher = publisher;
    this.publishing = publishing;
    this.consuming = connection;
    this.topology = topology;
    this.fence = fence;
  }

  /**
   * @throws {RabbitMqUnreachableError}
   * @throws {RabbitMqSetupError}
   */
  async start(): Promise<void> {
    await this.publishing.start();
    try {
      await this.topology.declare(this.publishing.current!);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /**
   * @throws {RabbitMqUnreachableError} when no broker answers any more
   * @throws {RabbitMqSetupError} when the broker refuses the user
   */
  async consume(consumer: ShardConsumer): Promise<void> {
    this.consumes = true;
    if (this.stopped) return;
    await this.consuming.start();
    // While it connected the app may have been shut down.
    if (!this.stopped) await this.claims.start(consumer);
  }

  status(): TransportStatus {
    const connected = this.publishing.current !== undefined && (!this.consumes || this.consuming.current !== undefined);
    const blocked = this.publishing.blocked || this.consuming.blocked;
    return { connected, blocked, shards: this.claims.indexes.length };
  }

  /** Rejects as {@link SignalCaller.send}. */
  sendSignal(...signal: Parameters<SignalCaller['send']>): Promise<Uint8Array> {
    return this.signals.send(...signal);
  }

  /** Rejects while there is no connection. */
  processes(): Promise<ProcessInfo[]> {
    return this.rollCall.call();
  }

  stopClaiming(): void {
    this.stopped = true;
    this.claims.stop();
  }

  async close(): Promise<void> {
    this.stopped = true;
    this.claims.close();
    this.fence.stop();
    // What is on its way may still be confirmed; a broker that is away keeps nobody waiting.
    const taking = this.publishing.current !== undefined && !this.publishing.blocked;
    if (taking) await within(this.clock, FLUSH_TIMEOUT, this.publisher.idle()).catch(() => undefined);
    this.publisher.close();
    await Promise.all([this.consuming.close(), this.publishing.close()]);
  }

  /** A message found no queue, because somebody deleted it. Many may find none, so one declaration serves all that come meanwhile. */
  private async redeclare(): Promise<void> {
    const model = this.publishing.current;
    if (model === undefined || this.redeclaring) return;
    this.redeclaring = true;
    await this.topology.declare(model).catch(() => undefined); // The next message without a queue tries again.
    this.redeclaring = false;
  }
}

/** Its round trip asks the broker about a queue that is always there. */
function fenceOf(connection: BrokerConnection, survey: LazyChannel, { names }: Topology, clock: Clock): StallFence {
  const roundTrip = async (): Promise<void> => {
    const channel = await survey.get();
    await channel.checkQueue(names.meta);
  };
  return new StallFence(
    () => connection.heartbeat,
    () => connection.silence,
    roundTrip,
    (cause) => connection.reset(cause),
    clock,
  );
}
