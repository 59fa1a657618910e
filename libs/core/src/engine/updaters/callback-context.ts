import { cloneHeaders } from '../../headers/clone-headers.js';
import type { MessageContext, PublishInput } from '../../interfaces/callback-context.interface.js';
import type { MessageHeaders } from '../../interfaces/message-headers.interface.js';
import { decodeShardingKey, keyBytes, type ShardingKey } from '../../keys/sharding-key.js';
import { PlainRun, type CallbackRun } from './callback-run.js';

const NO_HEADERS: MessageHeaders = Object.freeze({});

/** What the handler sees. Everything is read on demand, since most handlers read little of it. */
export class RunContext implements MessageContext<ShardingKey> {
  readonly #run: CallbackRun;
  #key: ShardingKey | undefined;
  #headers: MessageHeaders | undefined;

  constructor(run: CallbackRun) {
    this.#run = run;
  }

  get instance(): string {
    return this.#run.key.epoch.environment.options.instance;
  }
  get key(): ShardingKey {
    return (this.#key ??= decodeShardingKey(keyBytes(this.#run.key.id)));
  }
  get shard(): number {
    return this.#run.key.epoch.shard;
  }
  get epoch(): number {
    return this.#run.key.epoch.number;
  }
  get attempt(): number {
    return this.#run.attempt;
  }
  get redelivered(): boolean {
    return this.#run.message?.redelivered ?? false;
  }
  get abortSignal(): AbortSignal {
    return this.#run.abortSignal;
  }
  get messageId(): string | undefined {
    return this.#run.message?.messageId;
  }
  get timestamp(): number | undefined {
    return this.#run.message?.timestamp;
  }
  // Functions of their own, so that a handler may take them out of its context: `{ key, publish }: MessageContext`.
  get publish(): MessageContext['publish'] {
    return (payload: unknown, input: PublishInput): void => this.#run.adds.publish(payload, input);
  }
  get transaction(): MessageContext['transaction'] {
    return async <Client>(): Promise<Client> => (await this.#run.adds.begin()) as Client;
  }
  get type(): string | undefined {
    return this.#run.message?.properties?.type;
  }
  get contentType(): string | undefined {
    return this.#run.message?.properties?.contentType;
  }
  get contentEncoding(): string | undefined {
    return this.#run.message?.properties?.contentEncoding;
  }
  get correlationId(): string | undefined {
    return this.#run.message?.properties?.correlationId;
  }
  get replyTo(): string | undefined {
    return this.#run.message?.properties?.replyTo;
  }
  get appId(): string | undefined {
    return this.#run.message?.properties?.appId;
  }
  get signalName(): string | undefined {
    return this.#run instanceof PlainRun ? this.#run.signalName : undefined;
  }
  get headers(): MessageHeaders {
    const { message } = this.#run;
    return message === undefined ? NO_HEADERS : (this.#headers ??= cloneHeaders(message.headers));
  }
}
