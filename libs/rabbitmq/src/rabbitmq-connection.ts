import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type {
  Clock,
  DeadLetterReader,
  Destination,
  ProcessInfo,
  ShardConsumer,
  TransportConnection,
  TransportContext,
  TransportStatus,
} from '@mississippi/core/transport';
import type { ChannelModel } from 'amqplib';
import { leaveBare } from './connection/bare-channels.js';
import { BrokerConnection } from './connection/broker-connection.js';
import { LazyChannel } from './connection/lazy-channel.js';
import { within } from './connection/timers.js';
import { RabbitMqAccessError, RabbitMqSetupError } from './errors/rabbitmq.errors.js';
import { DeadLetterQueue } from './dead-letters/dead-letter-queue.js';
import { codeOf, NOT_FOUND } from './errors/reply-codes.js';
import type { Settings } from './options/settings.js';
import { Neighbour } from './ownership/neighbours.js';
import { RareWarnings } from './ownership/rare-warnings.js';
import { CoordinationLink } from './ownership/coordination-link.js';
import { PauseRequests } from './ownership/pause-requests.js';
import { Membership } from './ownership/membership.js';
import type { Report } from './coordination/reports.js';
import { ShardClaims } from './ownership/shard-claims.js';
import { RabbitPublisher } from './publishing/rabbit-publisher.js';
import { CLOSE_TIMEOUT } from './sessions/shard-session.js';
import { StallFence } from './sessions/stall-fence.js';
import { SignalCaller } from './signals/signal-caller.js';
import { SignalResponder } from './signals/signal-responder.js';
import { otherApplication, otherCount } from './topology/disagreement.js';
import { Redeclaration } from './topology/redeclaration.js';
import { explainRight } from './topology/rights.js';
import { ShardBacklogs } from './topology/shard-backlogs.js';
import { Topology } from './topology/topology.js';

/** How long closing waits for confirms, and for what the broker has not read yet. Milliseconds. */
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
  readonly destination: Destination;
  private readonly clock: Clock;
  private readonly publishing: BrokerConnection;
  private readonly consuming: BrokerConnection;
  private readonly topology: Topology;
  private readonly fence: StallFence;
  private readonly claims: ShardClaims;
  private readonly signals: SignalCaller;
  private readonly responder: SignalResponder;
  private readonly link: CoordinationLink;
  private readonly requests: PauseRequests;
  /** What this process is called. */
  private readonly name: string;
  private readonly lengths: ShardBacklogs;
  private readonly letters: DeadLetterQueue;
  private readonly warnings: RareWarnings;
  private readonly redeclaration: Redeclaration;
  private readonly neighbour: Neighbour;
  private consumes = false;
  /** Nothing is claimed any more. */
  private stopped = false;
  /** Whether the queues were declared once. */
  private declared = false;
  /** The broker did not answer when a shard was given back. */
  private unanswered = false;

  constructor(
    private readonly settings: Settings,
    { instance, logger, clock, keyText, traced = false }: TransportContext,
  ) {
    this.totalCount = settings.totalCount;
    this.prefetch = settings.prefetch;
    this.deliveryTimeout = settings.deliveryTimeout;
    this.maxSignalSize = settings.maxMessageSize;
    this.destination = destinationOf(settings);
    this.clock = clock;
    const id = randomBytes(8).toString('hex');
    const { application } = settings;
    // An instance without an application of its own gives it its name.
    const app = application.split('/')[0] === instance ? application : `${application} ${instance}`;
    const name = `mississippi ${app} ${hostname()}:${process.pid}:${id.slice(0, 4)}`;
    const topology = new Topology(settings, name);
    const { names } = topology;
    const publishing = new BrokerConnection(settings, `${name} publishes`, logger, clock);
    const connection = new BrokerConnection(settings, `${name} consumes`, logger, clock);
    // Before whoever opens channels on them.
    if (traced) for (const one of [publishing, connection]) one.on('up', leaveBare);
    this.warnings = new RareWarnings(logger, clock);
    this.redeclaration = new Redeclaration(topology, publishing, clock, this.warnings);
    const publisher = new RabbitPublisher(publishing, settings, names, clock, logger, {
      // A broker that comes back may have lost everything, or be another. At the start nothing is sent before.
      ready: (model) => (this.declared ? this.redeclaration.ready(model) : Promise.resolve()),
      unroutable: () => this.redeclaration.again(),
    });
    const survey = new LazyChannel(connection);
    const membership = new Membership(topology, new LazyChannel(connection));
    this.neighbour = new Neighbour(instance, settings);
    const fence = fenceOf(connection, survey, topology, clock);
    this.responder = new SignalResponder(publishing, topology, settings.maxMessageSize, clock, (cause) =>
      this.denied(cause),
    );
    this.link = new CoordinationLink({
      publishing,
      consuming: connection,
      survey,
      topology,
      settings,
      membership,
      clock,
    });
    this.claims = new ShardClaims(
      {
        connection,
        survey,
        publisher,
        fence,
        topology,
        settings,
        clock,
        logger,
        warnings: this.warnings,
        unanswered: () => this.silenced(),
      },
      this.responder,
      membership,
      this.link,
      { id, name },
    );
    this.requests = new PauseRequests(this.link.questions, id);
    this.signals = new SignalCaller(publishing, names, settings.maxMessageSize, clock, keyText, (cause) =>
      this.denied(cause),
    );
    this.name = name;
    this.lengths = new ShardBacklogs(publishing, names, settings.totalCount);
    this.letters = new DeadLetterQueue(settings, names, `${name} reads dead letters`, logger, clock);
    this.publisher = publisher;
    this.publishing = publishing;
    this.consuming = connection;
    this.topology = topology;
    this.fence = fence;
  }

  /**
   * @throws {RabbitMqUnreachableError}
   * @throws {RabbitMqSetupError}
   * @throws {RabbitMqAccessError}
   */
  async start(): Promise<void> {
    await this.publishing.start();
    try {
      const model = this.publishing.current!;
      if (this.settings.declares && (await this.topology.isNew(model))) await this.checkCount(model);
      await this.topology.declare(model, (shard, error) => {
        if (error instanceof RabbitMqSetupError || error instanceof RabbitMqAccessError) throw error;
        this.redeclaration.notDeclared(shard, error);
      });
      await this.topology.verifyWriting(model, this.clock);
    } catch (error) {
      await this.close();
      throw error;
    }
    this.declared = true;
  }

  /**
   * @throws {RabbitMqUnreachableError} when no broker answers any more
   * @throws {RabbitMqSetupError} when the broker refuses the user, or the queues are another application's
   * @throws {RabbitMqAccessError} when the user lacks a right
   */
  async consume(consumer: ShardConsumer): Promise<void> {
    this.consumes = true;
    if (this.stopped) return;
    try {
      if (!this.settings.declares) throw consumerThatMakesNothing();
      await this.consuming.start();
      await this.join(consumer);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  private async join(consumer: ShardConsumer): Promise<void> {
    const model = this.consuming.current;
    // While it connected the app may have been shut down.
    if (this.stopped || model === undefined) return;
    this.neighbour.settle(model);
    if (await this.topology.isNobodys(model)) await this.checkApplication(model);
    await this.claims.start(consumer);
  }

  status(): TransportStatus {
    const connected = this.publishing.current !== undefined && (!this.consumes || this.consuming.current !== undefined);
    const blocked = this.publishing.blocked || this.consuming.blocked;
    const reconnects = this.publishing.reconnects + this.consuming.reconnects;
    const intake = this.claims.paused ? { intakePaused: true } : {};
    return { connected, blocked, shards: this.claims.owned.length, reconnects, ...intake };
  }

  /** Rejects as {@link SignalCaller.send}. */
  sendSignal(...signal: Parameters<SignalCaller['send']>): Promise<Uint8Array> {
    return this.signals.send(...signal);
  }

  /** Rejects while there is no connection. */
  backlogs(): Promise<readonly (number | undefined)[]> {
    return this.lengths.count();
  }

  /** Rejects as {@link DeadLetterQueue.read}. */
  readDeadLetters(): Promise<DeadLetterReader> {
    return this.letters.read();
  }

  /** @throws {NobodyAnswersError} while there is no connection, or nobody to ask */
  async processes(): Promise<ProcessInfo[]> {
    const reports = await this.link.questions.ask();
    const processes = reports.map(({ name, owned, paused }) => ({
      name,
      shards: owned,
      self: name === this.name,
      intake: paused === true ? ('paused' as const) : ('open' as const),
    }));
    return processes.sort((a, b) => a.name.localeCompare(b.name));
  }

  /** @throws as the interface says */
  async setIntake(process: string, paused: boolean, timeout: number): Promise<void> {
    if (process === this.name && this.consumes) this.claims.setIntake(paused);
    else await this.requests.setIntake(process, paused, timeout);
  }

  /** @throws as the interface says */
  setTypePaused(type: string, paused: boolean, timeout: number): Promise<void> {
    return this.requests.setTypePaused(type, paused, timeout);
  }

  /** @throws as the interface says */
  pausedTypes(timeout: number): Promise<readonly string[]> {
    return this.requests.pausedTypes(timeout);
  }

  stopClaiming(): void {
    this.stopped = true;
    this.claims.stop();
  }

  async close(): Promise<void> {
    this.stopped = true;
    this.neighbour.leave();
    await this.claims.close();
    this.fence.stop();
    // What is on its way may still be confirmed, and answers arrive; a broker that is away keeps nobody waiting.
    const silent = this.unanswered && this.publishing.silence >= CLOSE_TIMEOUT;
    if (!silent && this.publishing.current !== undefined && !this.publishing.blocked) {
      const flushed = Promise.all([this.publisher.idle(), this.responder.close(), this.link.close()]);
      await within(this.clock, FLUSH_TIMEOUT, flushed).catch(() => undefined);
    }
    this.publisher.close();
    await Promise.all([this.consuming.close(), silent ? this.publishing.cutOff() : this.publishing.close()]);
  }

  /** A broker that did not answer is not waited for again when everything is closed, nor by the other shards. */
  private silenced(): void {
    if (!this.stopped) return;
    this.unanswered = true;
    this.consuming.cutOff();
  }

  /** What the user lacks, where that is why the broker closed a channel on which signals are sent. */
  private denied(cause: Error | undefined): RabbitMqAccessError | undefined {
    const access = explainRight('write', this.settings, cause);
    if (access !== undefined)
      this.warnings.warn('signals', `Signals and their answers are not taken: ${access.message}`);
    return access;
  }

  /** Asks those that live, since the broker remembers nothing: somebody deleted the queue that does. */
  private async checkCount(model: ChannelModel): Promise<void> {
    const { settings } = this;
    for (const { name, totalCount } of await this.living(model)) {
      if (totalCount !== settings.totalCount) throw otherCount(settings, name, totalCount);
    }
  }

  private async living(model: ChannelModel): Promise<Report[]> {
    return (await this.topology.memberCount(model)) === 0 ? [] : this.link.questions.ask();
  }

  private async checkApplication(model: ChannelModel): Promise<void> {
    const { settings, topology } = this;
    for (const { application } of await this.living(model)) {
      if (application !== settings.application) {
        throw otherApplication(settings, application, topology.names.application);
      }
    }
  }
}

function consumerThatMakesNothing(): RabbitMqSetupError {
  return new RabbitMqSetupError(
    'queues.declare is false, but a process that consumes makes queues of its own: leave it out, or set producerOnly in forRoot.',
  );
}

/** As the OpenTelemetry semantic conventions for RabbitMQ say it: the exchange, where it has a name, and the routing key. */
function destinationOf({ endpoints, exchange, prefix }: Settings): Destination {
  const start = exchange === '' ? prefix : `${exchange}:${prefix}`;
  const [first, ...others] = endpoints;
  return {
    system: 'rabbitmq',
    template: `${start}{shard}`,
    name: (shard) => `${start}${shard}`,
    // Which of several it is changes.
    ...(others.length === 0 ? { server: { address: first!.host, port: first!.port } } : {}),
  };
}

/** Its round trip asks the broker about a queue that is always there. */
function fenceOf(connection: BrokerConnection, survey: LazyChannel, { names }: Topology, clock: Clock): StallFence {
  const roundTrip = async (): Promise<void> => {
    const channel = await survey.get();
    await channel.checkQueue(names.meta).catch((error: unknown) => {
      if (codeOf(error) !== NOT_FOUND) throw error; // Somebody deleted it, and the broker has answered.
    });
  };
  return new StallFence(
    () => connection.heartbeat,
    () => connection.silence,
    roundTrip,
    (cause) => connection.reset(cause),
    clock,
  );
}
