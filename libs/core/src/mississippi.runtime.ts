import {
  Inject,
  Injectable,
  Logger,
  type LoggerService,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { ModuleRef, ModulesContainer, type NestContainer } from '@nestjs/core';
import { Subject, type Observable } from 'rxjs';
import type { Clock } from './clock/clock.interface.js';
import { followCallbacks } from './engine/updaters/callback-scope.js';
import { guardedLogger } from './engine/base/guarded-logger.js';
import { Log } from './engine/base/log.js';
import { ToldEvents } from './engine/base/told-events.js';
import { Engine, type EngineParts } from './engine/engine.js';
import { enhanceHandler } from './enhancers/enhance-handler.js';
import { MethodBinder } from './enhancers/method-binder.js';
import { DuplicateInstanceError, InvalidOptionsError, NotStartedError } from './errors/index.js';
import type { MississippiEvent } from './interfaces/events.interface.js';
import { collectMethods } from './methods/collect-methods.js';
import { memory } from './memory/memory-transport.js';
import { MississippiExplorer, type FoundHandler, type FoundProvider } from './mississippi.explorer.js';
import {
  GIVEN_OPTIONS,
  GIVEN_STORE,
  GIVEN_TRANSPORT,
  REGISTRATION,
  type Registration,
} from './mississippi.module-definition.js';
import { MississippiOptions, RegistrationOptions, resolveOptions, resolvePolicy } from './mississippi.options.js';
import { DEFAULT_INSTANCE, MISSISSIPPI_CLOCK } from './mississippi.tokens.js';
import { validateOptions } from './options/validate-options.js';
import { BenchedRuntime } from './testing/benched-runtime.js';
import type { TestBench } from './testing/test-bench.interface.js';
import { MISSISSIPPI_TEST_BENCH } from './testing/test-bench.token.js';
import type { Transport } from './transport/transport.interface.js';

/** One instance in the life of the app: it finds the handler, connects, consumes, and drains before anything else ends. */
@Injectable()
export class MississippiRuntime
  implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown
{
  /** As listeners see them, from before the start on. */
  readonly events: Observable<MississippiEvent>;
  private readonly subject = new Subject<MississippiEvent>();
  private readonly logger: LoggerService;
  private options: MississippiOptions = {};
  /** From before it connects. */
  private made: Engine | undefined;
  /** Once it is connected. */
  private started: Engine | undefined;
  private closing = false;
  private warning: NodeJS.Immediate | undefined;

  constructor(
    @Inject(GIVEN_OPTIONS) private readonly given: unknown,
    @Inject(GIVEN_TRANSPORT) private readonly transport: unknown,
    @Inject(GIVEN_STORE) private readonly store: unknown,
    @Inject(REGISTRATION) private readonly registration: Registration,
    @Inject(MISSISSIPPI_CLOCK) private readonly clock: Clock,
    @Inject(MISSISSIPPI_TEST_BENCH) private readonly bench: TestBench | undefined,
    private readonly explorer: MississippiExplorer,
    private readonly modules: ModulesContainer,
    private readonly moduleRef: ModuleRef,
  ) {
    const context = registration.name === DEFAULT_INSTANCE ? 'Mississippi' : `Mississippi ${registration.name}`;
    this.logger = guardedLogger(new Logger(context));
    this.events = new ToldEvents(this.subject, new Log(this.logger));
    this.goFirstAtShutdown();
  }

  /** @throws {NotStartedError} before the app's modules are initialised */
  get engine(): Engine {
    if (this.started === undefined) throw new NotStartedError(`The instance '${this.registration.name}'`);
    return this.started;
  }

  async onModuleInit(): Promise<void> {
    if (this.closing) return; // The app was closed before its start came to this module.
    // Not in the constructor: what a constructor throws, Nest logs and throws.
    this.options = this.validated(this.given);
    const { name } = this.registration;
    const { transport, store } = this.plugins(this.options);
    const names = this.registered.map(({ registration }) => registration.name);
    if (names.filter((other) => other === name).length > 1) throw new DuplicateInstanceError(name);
    const found = this.explorer.find(name, this.options.producerOnly === true, names, this.container());
    if (found?.reachesService === true) followCallbacks();
    const options = resolveOptions(name, this.options, found?.options);
    const handling = found && this.handling(found, options.inheritAppConfig);
    const parts: EngineParts = {
      options,
      ...(handling ?? { handler: undefined }),
      handlerName: found?.source.className ?? '',
      logger: this.logger,
      events: this.subject,
      clock: this.clock,
      store,
      telemetry: this.options.telemetry,
    };
    if (this.bench === undefined) await this.start(new Engine(parts), transport ?? memory());
    else await this.onBench(this.bench, parts, transport ?? memory()).start();
  }

  private async start(engine: Engine, transport: Transport): Promise<void> {
    this.made = engine;
    await engine.connect(transport);
    this.started = engine;
  }

  /** In tests of users: the bench decides what the instance is made with, and when its process is gone. */
  private onBench(bench: TestBench, parts: EngineParts, transport: Transport): BenchedRuntime {
    return new BenchedRuntime(bench, parts, transport, {
      services: this,
      begin: (engine, carrier) => this.start(engine, carrier),
      gone: () => (this.made = this.started = undefined),
      told: (event) => this.subject.next(event),
      over: () => this.subject.complete(),
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.closing) return;
    await this.engine.consume();
    if (!this.closing && this.bench === undefined)
      this.warning = setImmediate(() => this.warnWithoutShutdownHooks()).unref();
  }

  async onModuleDestroy(): Promise<void> {
    this.closing = true;
    clearImmediate(this.warning);
    await this.windDown();
    await this.made?.drain();
  }

  /** All instances of the app together, since the handlers of one may publish for another. */
  private async windDown(): Promise<void> {
    const engines = this.registered.flatMap(({ runtime }) => runtime?.started ?? []);
    do {
      await Promise.all(engines.map((engine) => engine.windDown()));
    } while (engines.some((engine) => engine.windsDown));
  }

  /** Only now, since handlers of other instances may have published here while they drained. */
  async onApplicationShutdown(): Promise<void> {
    await this.made?.close();
  }

  /** What a factory returns may not rename the instance: its tokens were made before. */
  private validated(options: unknown): MississippiOptions {
    const { name } = this.registration;
    const path = name === DEFAULT_INSTANCE || name === '' ? 'forRoot' : `forRoot(${name})`;
    const own = validateOptions(path, RegistrationOptions, options);
    for (const extra of ['name', 'global'] as const) {
      if (own[extra] === undefined || own[extra] === this.registration[extra]) continue;
      const expected = `it is needed before the factory runs, so give it to forRootAsync beside useFactory, useClass or useExisting`;
      throw new InvalidOptionsError([{ path: `${path}.${extra}`, expected }]);
    }
    return own;
  }

  /**
   * Nest runs destroy hooks in the order of the modules' distance from the root, the nearest first, and bootstrap hooks
   * the other way round. Messages must be handled only while everything else lives, so this module is put before all
   * others, whichever way it was imported (Nest 12 sorts once, after the providers were made).
   */
  private goFirstAtShutdown(): void {
    for (const module of this.modules.values()) {
      if (module.providers.get(REGISTRATION)?.instance === this.registration) module.distance = -1;
    }
  }

  /** Checked again only where others were put in their place: a user's class may have getters for them. */
  private plugins(options: MississippiOptions): Pick<MississippiOptions, 'transport' | 'store'> {
    const { transport, store, registration } = this;
    const given = { transport, store } as Pick<MississippiOptions, 'transport' | 'store'>;
    if (transport === options.transport && store === options.store) return given;
    return validateOptions(`overridden(${registration.name})`, MississippiOptions, given);
  }

  /** The handler as the engine calls it. */
  private handling(found: FoundHandler, inheritAppConfig: boolean): Pick<EngineParts, 'handler' | 'methods'> {
    const container = this.container();
    const { options, registration } = this;
    const binderOf = ({ instance, source }: FoundProvider) =>
      new MethodBinder(instance, source, container, inheritAppConfig);
    const own = binderOf(found);
    const handler = enhanceHandler(found.instance, own);
    const methods = collectMethods({
      instance: registration.name,
      handler,
      binders: [own, ...found.parts.map(binderOf)],
      policyOf: (policy) => resolvePolicy(policy, found.options.failurePolicy, options.failurePolicy),
    });
    return { handler, methods };
  }

  private get registered(): Registered[] {
    return registeredIn(this.modules);
  }

  /** The container is what Nest's own context creators are made from; ModuleRef holds it for its subclasses. */
  private container(): NestContainer {
    return Reflect.get(this.moduleRef, 'container') as NestContainer;
  }

  private warnWithoutShutdownHooks(): void {
    if (this.options.producerOnly === true || process.listenerCount('SIGTERM') > 0) return;
    this.logger.warn(
      'Shutdown hooks are not enabled, so a SIGTERM ends handlers in the middle of their work: call app.enableShutdownHooks() in main.ts.',
    );
  }
}

/** An instance of the app. */
export interface Registered {
  readonly registration: Registration;
  /** `undefined` while Nest has not made it. */
  readonly runtime: MississippiRuntime | undefined;
}

/** All instances of the app. */
export function registeredIn(modules: ModulesContainer): Registered[] {
  return [...modules.values()].flatMap(({ providers }) => {
    const registration = providers.get(REGISTRATION)?.instance as Registration | undefined;
    const runtime: unknown = providers.get(MississippiRuntime)?.instance;
    if (registration === undefined) return [];
    return [{ registration, runtime: runtime instanceof MississippiRuntime ? runtime : undefined }];
  });
}
