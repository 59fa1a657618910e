import { EventEmitter } from 'node:events';
import type { LoggerService } from '@nestjs/common';
import { connect, type ChannelModel } from 'amqplib';
import { reasonOf, RabbitMqSetupError, RabbitMqUnreachableError } from './errors.js';
import { passKeysThrough } from './key-octet.js';
import type { Settings } from './settings.js';
import { type CorkableStream, writeTogether } from './write-together.js';

/** Reply codes after which trying again is pointless until somebody changes something (AMQP 0-9-1, 1.2). */
const ACCESS_REFUSED = 403;
const NOT_ALLOWED = 530;

interface ConnectionEvents {
  /** A connection is open. */
  up: [ChannelModel];
  /** It is gone, with everything on it. */
  down: [Error];
}

/**
 * One connection to the broker that comes back by itself: with backoff, to whichever of the endpoints answers. It logs
 * one line when it goes and one when it is back.
 */
export class BrokerConnection extends EventEmitter<ConnectionEvents> {
  private model: ChannelModel | undefined;
  private blockedReason: string | undefined;
  private closed = false;
  private failures = 0;
  private heardAt = 0;
  private retry: NodeJS.Timeout | undefined;
  private unblockedWaiters: (() => void)[] = [];

  constructor(
    private readonly settings: Settings,
    /** What it is for, in logs and in the broker's list of connections. */
    private readonly purpose: string,
    private readonly logger: LoggerService,
  ) {
    super();
    this.setMaxListeners(0);
  }

  get current(): ChannelModel | undefined {
    return this.model;
  }

  /** For how long nothing was heard of the broker; 0 without a connection. Milliseconds. */
  get silence(): number {
    return this.model === undefined ? 0 : performance.now() - this.heardAt;
  }

  /** Whether the broker takes no messages on this connection at present. */
  get blocked(): boolean {
    return this.blockedReason !== undefined;
  }

  /**
   * Connects for the first time: tries each endpoint once.
   * @throws {RabbitMqUnreachableError} where none answers
   * @throws {RabbitMqSetupError} where the broker refuses user or virtual host
   */
  async start(): Promise<void> {
    let last: unknown;
    for (const endpoint of this.settings.endpoints) {
      try {
        this.adopt(await this.open(endpoint.url));
        return;
      } catch (error) {
        if (isRefusal(error)) throw refusal(endpoint.name, error);
        last = error;
      }
    }
    throw new RabbitMqUnreachableError(
      this.settings.endpoints.map(({ name }) => name),
      last,
    );
  }

  /** Resolves when the connection is not blocked, or gone. */
  unblocked(): Promise<void> {
    if (!this.blocked) return Promise.resolve();
    return new Promise((resolve) => this.unblockedWaiters.push(resolve));
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.retry);
    const { model } = this;
    if (model === undefined) return;
    this.lose(new Error('the connection was closed'));
    // amqplib's close can wait for ever on a socket that was destroyed.
    await within(1_000, model.close()).catch(() => undefined);
  }

  /** Ends the connection at once and lets it come back; for a peer that no longer answers. */
  reset(cause: Error): void {
    const { model } = this;
    if (model === undefined) return;
    this.lost(model, cause);
  }

  private async open(url: string): Promise<ChannelModel> {
    const { tls, connectTimeout } = this.settings;
    const model = await connect(url, {
      ...tls,
      noDelay: true,
      timeout: connectTimeout,
      clientProperties: { connection_name: this.purpose },
    });
    writeTogether(socketOf(model));
    passKeysThrough(socketOf(model), unreadOf(model));
    return model;
  }

  private adopt(model: ChannelModel): void {
    this.model = model;
    this.failures = 0;
    this.heardAt = performance.now();
    socketOf(model).on('readable', () => {
      if (this.model === model) this.heardAt = performance.now();
    });
    model.on('error', (error: Error) => this.lost(model, error));
    model.on('close', (error?: Error) => this.lost(model, error ?? new Error('the broker closed the connection')));
    model.on('blocked', (reason: string) => {
      this.blockedReason = reason;
      this.logger.warn(`RabbitMQ takes no messages on the connection '${this.purpose}' (${reason}); publishing waits.`);
    });
    model.on('unblocked', () => {
      this.logger.log(`RabbitMQ takes messages on the connection '${this.purpose}' again.`);
      this.unblock();
    });
    this.emit('up', model);
  }

  private lost(model: ChannelModel, cause: Error): void {
    if (this.model !== model) return;
    this.logger.warn(`The connection '${this.purpose}' to RabbitMQ was lost (${reasonOf(cause)}); connecting again.`);
    // A peer that fell silent would keep the socket open for long; with the cause amqplib ends what is left of it.
    socketOf(model).destroy(cause);
    this.lose(cause);
    this.reconnect();
  }

  private lose(cause: Error): void {
    this.model = undefined;
    this.unblock();
    this.emit('down', cause);
  }

  private unblock(): void {
    this.blockedReason = undefined;
    for (const resolve of this.unblockedWaiters.splice(0)) resolve();
  }

  private reconnect(): void {
    if (this.closed || this.retry !== undefined) return;
    const { initial, max } = this.settings.reconnect;
    const bound = Math.min(max, initial * 2 ** this.failures);
    this.retry = setTimeout(() => void this.tryAgain(), bound * (0.5 + Math.random() / 2));
  }

  private async tryAgain(): Promise<void> {
    const { endpoints } = this.settings;
    const endpoint = endpoints[this.failures % endpoints.length]!;
    try {
      const model = await this.open(endpoint.url);
      this.retry = undefined;
      if (this.closed) {
        await model.close();
        return;
      }
      this.logger.log(`The connection '${this.purpose}' to RabbitMQ is back, at ${endpoint.name}.`);
      this.adopt(model);
    } catch {
      this.retry = undefined;
      this.failures++;
      this.reconnect();
    }
  }
}

/** All that amqplib 2.3 tells of a virtual host that is not there or not permitted. */
const NO_VIRTUAL_HOST = /^Expected ConnectionOpenOk; got <ConnectionClose/;

function refusal(name: string, error: unknown): RabbitMqSetupError {
  const reason = reasonOf(error);
  return new RabbitMqSetupError(
    NO_VIRTUAL_HOST.test(reason)
      ? `RabbitMQ at ${name} does not open the virtual host: check its name, and the user's permissions on it.`
      : `RabbitMQ at ${name} refuses the connection (${reason}): check username, password and virtual host, and the user's permissions.`,
  );
}

function isRefusal(error: unknown): boolean {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return (
    code === ACCESS_REFUSED ||
    code === NOT_ALLOWED ||
    (error instanceof Error &&
      (/ACCESS.REFUSED|NOT.ALLOWED/i.test(error.message) || NO_VIRTUAL_HOST.test(error.message)))
  );
}

interface OpenStream extends CorkableStream {
  read(size?: number): Buffer | null;
  destroy(cause?: Error): void;
  on(event: 'readable', listener: () => void): unknown;
}

/** amqplib keeps its connection on the model, and the socket on the connection; its types leave both out. */
function innerOf(model: ChannelModel): { stream: OpenStream; rest: Buffer } {
  return model.connection as unknown as { stream: OpenStream; rest: Buffer };
}

function socketOf(model: ChannelModel): OpenStream {
  return innerOf(model).stream;
}

function unreadOf(model: ChannelModel): Buffer {
  return innerOf(model).rest;
}

/** Rejects when a promise takes longer than some milliseconds. */
export async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
