import { HttpException, type ArgumentMetadata, type PipeTransform, type Type } from '@nestjs/common';
import { ApplicationConfig, ExternalContextCreator, type NestContainer } from '@nestjs/core';
import { ExternalExceptionFilterContext } from '@nestjs/core/exceptions/external-exception-filter-context.js';
import type { ExternalExceptionsHandler } from '@nestjs/core/exceptions/external-exceptions-handler.js';
import { GuardsConsumer, GuardsContextCreator } from '@nestjs/core/guards/index.js';
import type { ExternalHandlerMetadata } from '@nestjs/core/helpers/interfaces/external-handler-metadata.interface.js';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { InterceptorsConsumer, InterceptorsContextCreator } from '@nestjs/core/interceptors/index.js';
import type { RouterProxyCallback } from '@nestjs/core/router/router-proxy.js';
import { PipesConsumer, PipesContextCreator } from '@nestjs/core/pipes/index.js';
import { describe } from '../errors/describe.js';
import { InvalidHandlerError, PayloadInvalidError } from '../errors/index.js';
import { ParameterType } from '../methods/parameter-metadata.js';
import { ROUTE_ARGS_METADATA, type CompleteArgumentMetadata } from '../nest.js';
import { RefusedPayload } from '../payload/refused-payload.js';
import { Denied } from './denied.js';
import { ENHANCERS, enhancersOf } from './enhancer-metadata.js';
import { valueOf } from './parameters.js';

/**
 * The context type that guards, interceptors and filters see.
 * @publicApi
 */
export const CONTEXT_TYPE = 'mississippi';

/** The payload's type for pipes: the number that Nest gives an HTTP body and a microservice's payload. */
const PAYLOAD = ParameterType.payload;
const OTHER = 0;
const ARGUMENTS = [PAYLOAD, OTHER, OTHER];
/** For methods whose parameters are decorated. */
const PARAMETERS = {
  exchangeKeyForValue: (type: number, data: unknown, args: unknown): unknown => valueOf(type, data, args as unknown[]),
};

/** Where a handler is provided. */
export interface HandlerSource {
  readonly className: string;
  /** The class that `@MessageHandler` decorates. */
  readonly type: Type | undefined;
  /** Nest's key of the module. */
  readonly moduleKey: string;
}

type Method = (...args: unknown[]) => unknown;
type Create = Parameters<ExternalContextCreator['getMetadata']>;

/**
 * Nest's context creator for methods that no transport of Nest calls, with four changes: app-wide enhancers apply only
 * where they are asked for; pipes see the payload, not the state or the context; a guard's refusal and a pipe's are told
 * apart from a failing handler; filters are run by {@link filters}, so that what they return is never taken for an outcome.
 */
export class HandlerContextCreator extends ExternalContextCreator {
  private constructor(
    private readonly nest: NestContainer,
    private readonly source: HandlerSource,
    private readonly config: ApplicationConfig,
    private readonly exceptionFilters: ExternalExceptionFilterContext,
  ) {
    super(
      new GuardsContextCreator(nest, config),
      new GuardsConsumer(),
      new InterceptorsContextCreator(nest, config),
      new InterceptorsConsumer(),
      nest.getModules(),
      new PipesContextCreator(nest, config),
      new PipesConsumer(),
      exceptionFilters,
    );
  }

  static for(nest: NestContainer, source: HandlerSource, inheritAppConfig: boolean): HandlerContextCreator {
    const config = (inheritAppConfig ? nest.applicationConfig : undefined) ?? new ApplicationConfig();
    return new HandlerContextCreator(nest, source, config, new ExternalExceptionFilterContext(nest, config));
  }

  /** Whether any enhancer is registered for the whole app and applies here. */
  get hasGlobals(): boolean {
    const { config } = this;
    const singletons = [
      config.getGlobalGuards(),
      config.getGlobalPipes(),
      config.getGlobalInterceptors(),
      config.getGlobalFilters(),
    ];
    return [...singletons, this.scopedGlobals].some((list) => list.length > 0);
  }

  /** App-wide enhancers that live for one request, or for one user of theirs. */
  private get scopedGlobals(): InstanceWrapper[] {
    const { config } = this;
    return [
      config.getGlobalRequestGuards(),
      config.getGlobalRequestPipes(),
      config.getGlobalRequestInterceptors(),
      config.getGlobalRequestFilters(),
    ].flat();
  }

  /**
   * Nest leaves out what it has no instance of, and a guard that is left out lets everything pass.
   * @param pipes of the method's parameters
   * @throws {InvalidHandlerError}
   */
  check(handler: object, method: object, pipes: readonly unknown[] = []): void {
    const { className, moduleKey } = this.source;
    const [scoped] = this.scopedGlobals;
    if (scoped !== undefined) {
      throw new InvalidHandlerError(
        className,
        `inheritAppConfig would apply ${scoped.metatype?.name ?? String(scoped.name)} to it, which is request-scoped or transient: make that a singleton, or leave inheritAppConfig out`,
      );
    }
    const injectables = this.nest.getModules().get(moduleKey)?.injectables;
    for (const { kind, key } of ENHANCERS) {
      const ofParameters = kind === 'pipe' ? pipes : [];
      for (const enhancer of [...enhancersOf(key, handler, method), ...ofParameters]) {
        if (typeof enhancer !== 'function') continue;
        const wrapper = injectables?.get(enhancer as Type);
        const problem =
          wrapper === undefined
            ? 'has no instance, because a factory, a value or (before Nest 12.2) another token provides the handler: provide the handler by its class'
            : wrapper.isTransient
              ? 'is transient: make it a singleton'
              : undefined;
        if (problem === undefined) continue;
        throw new InvalidHandlerError(
          className,
          `its ${kind} ${enhancer.name} ${problem}, or decorate with an instance of it`,
        );
      }
    }
  }

  /** @param decorated whether the method's parameters are */
  enhance(handler: object, method: Method, name: string, decorated: boolean): Method {
    const options = { guards: true, interceptors: true, filters: false };
    const [key, factory] = decorated ? [ROUTE_ARGS_METADATA, PARAMETERS] : [undefined, undefined];
    return this.create(handler, method, name, key, factory, undefined, undefined, options, CONTEXT_TYPE);
  }

  filters(handler: object, method: Method): ExternalExceptionsHandler {
    return this.exceptionFilters.create(handler, method as RouterProxyCallback, this.source.moduleKey);
  }

  /** Known from the start: a lookup by class would miss a handler under a token of its own. */
  override getContextModuleKey(): string {
    return this.source.moduleKey;
  }

  override getMetadata(...args: Create): ExternalHandlerMetadata {
    const metadata = super.getMetadata(...args);
    const [, , metadataKey] = args;
    if (metadataKey !== undefined) return metadata;
    return {
      ...metadata,
      argsLength: ARGUMENTS.length,
      getParamsMetadata: () =>
        ARGUMENTS.map((type, index) => ({
          index,
          type,
          data: undefined,
          pipes: [],
          extractValue: (...values: unknown[]) => values[index],
        })) as unknown as ReturnType<ExternalHandlerMetadata['getParamsMetadata']>,
    };
  }

  override async getParamValue(value: unknown, metadata: ArgumentMetadata, pipes: PipeTransform[]): Promise<unknown> {
    if ((metadata.type as unknown) !== PAYLOAD) return value;
    try {
      return (await super.getParamValue(value, metadata as CompleteArgumentMetadata, pipes)) as unknown;
    } catch (error) {
      throw isStatus(error, 400, 422) ? new RefusedPayload(refusal(error, metadata), error) : error;
    }
  }

  override createGuardsFn(
    ...args: Parameters<ExternalContextCreator['createGuardsFn']>
  ): ReturnType<ExternalContextCreator['createGuardsFn']> {
    const guards = super.createGuardsFn(...args);
    if (guards === null) return null;
    return async (values: unknown[]) => {
      try {
        await (guards as (values: unknown[]) => Promise<void>)(values);
      } catch (error) {
        throw isStatus(error, 401, 403) ? new Denied(error) : error;
      }
    };
  }
}

function refusal(error: HttpException, metadata: ArgumentMetadata): PayloadInvalidError {
  const response = error.getResponse();
  const message: unknown = typeof response === 'object' ? Reflect.get(response, 'message') : response;
  const problems = Array.isArray(message) ? message.map(String) : [describe(message ?? error)];
  return new PayloadInvalidError(metadata.metatype?.name, problems);
}

function isStatus(error: unknown, ...statuses: number[]): error is HttpException {
  return error instanceof HttpException && statuses.includes(error.getStatus());
}
