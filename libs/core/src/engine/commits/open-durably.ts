import { InvalidOptionsError, StoreUnavailableError } from '../../errors/index.js';
import { describe } from '../../errors/describe.js';
import type { DataUpdaterHandler } from '../../interfaces/data-updater-handler.interface.js';
import { LogLimit } from '../../log-limit.js';
import { NOTE_HEADERS } from '../../note-headers.js';
import type { Store, StoreConnection, StoreContext } from '../../store/store.interface.js';
import type { Transport, TransportConnection } from '../../transport/transport.interface.js';
import type { Environment } from '../base/environment.js';
import { DurableInstance } from './durable-instance.js';
import { StateForm } from './state-form.js';
import { StoreLink } from './store-link.js';

/** How a key becomes a shard, for stores to compare. */
const HASH = 'phash2';
/** What a broker takes at most to bring again what was not acked, where it has no delivery time-out. Milliseconds. */
const SETTLE_TIME = 1_800_000;
/** Between two tries to connect at the start. Milliseconds. */
const CONNECT_AGAIN = 500;

/** What an instance gives for its store. */
export interface InstanceParts {
  readonly environment: Environment;
  readonly random: () => number;
  readonly handler: DataUpdaterHandler;
  readonly handlerName: string;
  /** Whether the instance ends before it has begun. */
  readonly over: () => boolean;
}

/**
 * Connects an instance to its store.
 * @throws what the store refuses to connect with; {@link StoreUnavailableError} when it could not be reached in time
 * @throws {InvalidOptionsError} when the transport cannot be used with a store
 */
export async function openDurably(
  store: Store,
  transport: Transport,
  connection: TransportConnection,
  { environment, random, handler, handlerName, over }: InstanceParts,
): Promise<DurableInstance> {
  const { options, clock, log } = environment;
  const { publisher, totalCount, deliveryTimeout } = connection;
  if (publisher.deadLetter === undefined) {
    throw new InvalidOptionsError([
      {
        path: 'forRoot.store',
        expected: `no store was expected, since the transport (${transport.name}) cannot publish dead letters`,
      },
    ]);
  }
  // What others may have too outlives the instance, as a broker's queues do.
  const kept = connection.durable || connection.backlog === undefined;
  const context: StoreContext = {
    instance: options.instance,
    logger: environment.logger,
    keyText: environment.keyText,
    clock,
    shards: { transport: transport.name, totalCount, hash: HASH },
    exclusive: !kept && !options.producerOnly,
    inboxHorizon: options.inboxHorizon,
    settleTime: deliveryTimeout ?? SETTLE_TIME,
  };
  const opened = await connected(store, context, options.storeStartTimeout, over);
  const link = new StoreLink(opened, clock, log, random, environment.telemetry);
  const { stateTtl } = options;
  const instance = new DurableInstance({
    link,
    publisher,
    totalCount,
    form: new StateForm(
      options.state,
      options.stateVersion,
      options.stateLimit,
      handler.migrate?.bind(handler),
      handlerName,
    ),
    keyText: environment.keyText,
    stateTtl: stateTtl === Infinity ? undefined : stateTtl,
    patience: (deliveryTimeout ?? Infinity) / 3,
    doneWhenTaken: kept,
    refused: (message, error) => ({
      ...message,
      kind: 'deadLetter',
      headers: {
        ...message.headers,
        [NOTE_HEADERS.reason]: 'unpublishable',
        [NOTE_HEADERS.error]: describe(error),
        [NOTE_HEADERS.time]: clock.time(),
        [NOTE_HEADERS.key]: environment.keyText(message.key),
      },
    }),
  });
  if (kept) return instance;
  try {
    await instance.openProducer((error) => link.failed(error));
  } catch (error) {
    await link.close(); // Or nobody else could have the instance.
    throw error;
  }
  return instance;
}

async function connected(
  store: Store,
  context: StoreContext,
  patience: number,
  over: () => boolean,
): Promise<StoreConnection> {
  const { clock } = context;
  const until = clock.now() + patience;
  const limit = new LogLimit(clock);
  for (;;) {
    try {
      return await store.connect(context);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || clock.now() >= until || over()) throw error;
      limit.tell((more) => {
        const what = `The store (${store.name}) cannot be reached yet and is tried again`;
        context.logger.warn(`${what}: ${describe(error)}${more}`);
      });
      await new Promise<void>((resolve) => void clock.after(CONNECT_AGAIN, resolve));
    }
  }
}
