import { EventEmitter } from 'node:events';
import type { LoggerService } from '@nestjs/common';
import type { Clock, Timer } from '@mississippi/core/transport';
import type { ChannelModel } from 'amqplib';
import { RabbitMqSetupError } from '../errors/rabbitmq.errors.js';
import { reasonOf } from '../errors/reason.js';
import type { Endpoint } from '../options/endpoint.js';
import { LEAST_CHANNELS, LEAST_FRAME } from '../options/limits.js';
import type { Settings } from '../options/settings.js';
import { destroy, end, isClosed, limitsOf, onHeard, openModel, type Limits } from './client.js';
import { explainFailures, explainFailure, isRefusal, type Failure } from './refusal.js';
import { pause, within } from './timers.js';

/** How long the broker may take to say goodbye. Milliseconds. */
const CLOSE_TIMEOUT = 1_000;
/** How often at most the log says that an endpoint cannot be connected to. Milliseconds. */
const TELL_EVERY = 60_000;

interface ConnectionEvents {
  /** A connection is open. */
  up: [ChannelModel];
  /** It is gone, with everything on it. */
  down: [Error];
}

/**
 * One connection to the broker that comes back by itself: with backoff, to whichever of the endpoints answers. It logs
 * one line when it goes and one when it is back; and, now and then, why it does not come back.
 */
export class BrokerConnection extends EventEmitter<ConnectionEvents> {
  private model: ChannelModel | undefined;
  private isBlocked = false;
  private readonly closing = new AbortController();
  /** Attempts in a row that failed, or whose connection did not last. */
  private failures = 0;
  private timesBack = 0;
  private openedAt = 0;
  private lostAt = 0;
  private heardAt = 0;
  private beat: number;
  /** In the order in which they are tried. */
  private endpoints: readonly Endpoint[];
  private retry: Timer | undefined;
  /** When the log last said of an endpoint, by its name, why it cannot be connected to. */
  private readonly told = new Map<string, number>();

  constructor(
    private readonly settings: Settings,
    /** What it is for, in logs and in the broker's list of connections. */
    private readonly purpose: string,
    private readonly logger: LoggerService,
    private readonly clock: Clock,
  ) {
    super();
    this.setMaxListeners(0);
    this.endpoints = ordered(settings);
    this.beat = this.endpoints[0]!.heartbeat;
  }

  get current(): ChannelModel | undefined {
    return this.model;
  }

  /** How often it has come back so far. */
  get reconnects(): number {
    return this.timesBack;
  }

  /** For how long nothing was heard of the broker; 0 without a connection. Milliseconds. */
  get silence(): number {
    return this.model === undefined ? 0 : this.clock.now() - this.heardAt;
  }

  /** Whether the broker takes no messages on this connection at present. */
  get blocked(): boolean {
    return this.isBlocked;
  }

  /** As it was agreed upon with the broker last, before as it is asked for. Milliseconds. */
  get heartbeat(): number {
    return this.beat;
  }

  /** What was agreed upon with the broker; `undefined` without a connection. */
  get limits(): Limits | undefined {
    return this.model === undefined ? undefined : limitsOf(this.model);
  }

  /**
   * Connects for the first time: tries each endpoint once, and again until `startTimeout` while one of them may still come
   * up.
   * @throws {RabbitMqUnreachableError} where none answers
   * @throws {RabbitMqSetupError} where a broker refuses user or virtual host and no other takes them, or allows too little
   */
  async start(): Promise<void> {
    const { clock, settings } = this;
    const startedAt = clock.now();
    for (let round = 0; ; round++) {
      const failures = await this.tryAll();
      if (failures.length === 0) return;
      const wait = this.backoff(round);
      const final = failures.every(({ error }) => isRefusal(error)) || this.closing.signal.aborted;
      if (final || clock.now() - startedAt + wait > settings.startTimeout) throw explainFailures(failures);
      if (round === 0) this.logger.warn(`${explainFailures(failures).message} Waiting for it.`);
      await pause(clock, wait, this.closing.signal);
    }
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.retry?.cancel();
    const { model, isBlocked } = this;
    if (model === undefined) return;
    const cause = new Error('the connection was closed');
    this.lose(cause);
    try {
      // amqplib's close can wait for ever on a socket that was destroyed.
      await within(this.clock, CLOSE_TIMEOUT, model.close());
      if (isBlocked) throw cause; // Then amqplib waits for no answer, and what is not written yet is not read for long.
      end(model);
    } catch {
      destroy(model, cause);
    }
  }

  /** Ends the connection at once and for good; for a peer that no longer answers. */
  cutOff(): void {
    this.closing.abort();
    this.retry?.cancel();
    const { model } = this;
    if (model === undefined) return;
    const cause = new Error('the broker did not answer');
    this.lose(cause);
    destroy(model, cause);
  }

  /** Ends the connection at once and lets it come back; for a peer that no longer answers. */
  reset(cause: Error): void {
    const { model } = this;
    if (model === undefined) return;
    this.lost(model, cause);
  }

  /** Tries each endpoint once. Returns why each failed; nothing when one was connected to. */
  private async tryAll(): Promise<Failure[]> {
    const failures: Failure[] = [];
    for (const endpoint of this.endpoints) {
      try {
        this.adopt(await this.open(endpoint));
        return [];
      } catch (error) {
        failures.push({ endpoint, error });
      }
    }
    return failures;
  }

  private async open(endpoint: Endpoint): Promise<ChannelModel> {
    const { settings, purpose, clock, closing } = this;
    const model = await openModel(endpoint, settings, purpose, clock, closing.signal);
    const error = closing.signal.aborted ? new Error('the app is shutting down') : tooNarrow(endpoint, limitsOf(model));
    if (error === undefined) return model;
    destroy(model, error);
    throw error;
  }

  private adopt(model: ChannelModel): void {
    this.model = model;
    this.beat = limitsOf(model).heartbeat;
    this.openedAt = this.clock.now();
    this.heardAt = this.openedAt;
    this.told.clear();
    onHeard(model, () => {
      if (this.model === model) this.heardAt = this.clock.now();
    });
    model.on('error', (error: Error) => this.lost(model, error));
    model.on('close', (error?: Error) => this.lost(model, error ?? new Error('the broker closed the connection')));
    model.on('blocked', (reason: string) => {
      this.isBlocked = true;
      this.logger.warn(`RabbitMQ takes no messages on the connection '${this.purpose}' (${reason}); publishing waits.`);
    });
    model.on('unblocked', () => {
      this.logger.log(`RabbitMQ takes messages on the connection '${this.purpose}' again.`);
      this.isBlocked = false;
    });
    if (isClosed(model)) this.lost(model, new Error('the broker closed the connection'));
    else this.emit('up', model);
  }

  private lost(model: ChannelModel, cause: Error): void {
    if (this.model !== model) return;
    this.logger.warn(`The connection '${this.purpose}' to RabbitMQ was lost (${reasonOf(cause)}); connecting again.`);
    // A peer that fell silent would keep the socket open for long.
    destroy(model, cause);
    this.lostAt = this.clock.now();
    this.endpoints = ordered(this.settings);
    // One that is closed as soon as it is open, each time, is no better than none.
    const lasted = this.lostAt - this.openedAt >= this.settings.reconnect.max;
    this.failures = lasted ? 0 : this.failures + 1;
    this.lose(cause);
    this.reconnect();
  }

  private lose(cause: Error): void {
    this.model = undefined;
    this.isBlocked = false;
    this.emit('down', cause);
  }

  private reconnect(): void {
    if (this.closing.signal.aborted || this.retry !== undefined) return;
    this.retry = this.clock.after(this.backoff(this.failures), () => void this.tryAgain());
  }

  private backoff(failures: number): number {
    const { initial, max } = this.settings.reconnect;
    return Math.min(max, initial * 2 ** failures) * (0.5 + Math.random() / 2);
  }

  private async tryAgain(): Promise<void> {
    const { endpoints } = this;
    const endpoint = endpoints[this.failures % endpoints.length]!;
    try {
      const model = await this.open(endpoint);
      this.retry = undefined;
      this.timesBack++;
      this.logger.log(`The connection '${this.purpose}' to RabbitMQ is back, at ${endpoint.name}.`);
      this.adopt(model);
    } catch (error) {
      this.retry = undefined;
      this.failures++;
      if (!this.closing.signal.aborted) this.tell({ endpoint, error });
      this.reconnect();
    }
  }

  /** A refusal is told at once, since it lasts until somebody changes something; other failures when they last. */
  private tell(failure: Failure): void {
    const { name } = failure.endpoint;
    const refused = isRefusal(failure.error);
    const now = this.clock.now();
    const last = this.told.get(name) ?? (refused ? -Infinity : this.lostAt);
    if (now - last < TELL_EVERY) return;
    this.told.set(name, now);
    const text = `The connection '${this.purpose}' to RabbitMQ does not come back: ${explainFailure(failure)}`;
    if (refused) this.logger.error(text);
    else this.logger.warn(text);
  }
}

/** Each is tried once in a round. */
function ordered({ endpoints, shuffled }: Settings): readonly Endpoint[] {
  if (!shuffled) return endpoints;
  const rest = [...endpoints];
  return endpoints.map(() => rest.splice(Math.floor(Math.random() * rest.length), 1)[0]!);
}

/** What the broker allows too little of. Without this it would fail again and again, each time somewhere else. */
function tooNarrow({ name }: Endpoint, { channelMax, frameMax }: Limits): RabbitMqSetupError | undefined {
  if (channelMax < LEAST_CHANNELS) {
    return new RabbitMqSetupError(
      `RabbitMQ at ${name} allows ${channelMax} channels on a connection, but at least ${LEAST_CHANNELS} are needed: raise channel_max.`,
    );
  }
  if (frameMax >= LEAST_FRAME) return undefined;
  return new RabbitMqSetupError(
    `RabbitMQ at ${name} allows frames of ${frameMax} bytes, but at least ${LEAST_FRAME} are needed: raise frame_max.`,
  );
}
