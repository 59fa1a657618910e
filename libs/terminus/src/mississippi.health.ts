import {
  type DataUpdaterService,
  DEFAULT_INSTANCE,
  type EngineStatus,
  getDataUpdaterServiceToken,
} from '@mississippi/core';
import { Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { InstanceNotFoundError } from './instance-not-found.error.js';

/** @publicApi */
export interface MississippiHealthOptions {
  /** Which instance is meant, in an app that has several. Default `'default'`. */
  instance?: string;
  /**
   * Down when some key's first message has been here for longer than this, whether its handler runs or is retried.
   * More than the longest that a message may take. Milliseconds, default `Infinity`.
   */
  maxWithoutProgress?: number;
}

/**
 * The health of one instance, over any transport: down when messages cannot come or go, or when some of them cannot be
 * handled until somebody acts. Parked keys are reported but do not make it unhealthy.
 * @example
 * health.check([() => mississippi.check('mississippi', { maxWithoutProgress: 60_000 })])
 * @publicApi
 */
@Injectable()
export class MississippiHealthIndicator {
  constructor(
    private readonly health: HealthIndicatorService,
    private readonly moduleRef: ModuleRef,
  ) {}

  /**
   * @param key what the result is called
   * @throws {InstanceNotFoundError} when the app has no such instance
   * @throws {NotStartedError} before the app's modules are initialised
   */
  check<const Key extends string>(key: Key, options: MississippiHealthOptions = {}): HealthIndicatorResult<Key> {
    const { instance = DEFAULT_INSTANCE, maxWithoutProgress = Infinity } = options;
    const status = this.serviceOf(instance).status();
    const problems = problemsOf(status, maxWithoutProgress);
    const indicator = this.health.check(key);
    return problems.length === 0 ? indicator.up(figuresOf(status)) : indicator.down({ problems, ...figuresOf(status) });
  }

  /** Looked for when it is needed, so that one indicator serves every instance, in whichever module it was imported. */
  private serviceOf(instance: string): DataUpdaterService {
    try {
      return this.moduleRef.get<DataUpdaterService>(getDataUpdaterServiceToken(instance), { strict: false });
    } catch (error) {
      throw new InstanceNotFoundError(instance, error);
    }
  }
}

function figuresOf(status: EngineStatus) {
  const { transport, shards, stalledShards, failingInits, parkedKeys, oldestHead } = status;
  return {
    connected: transport.connected,
    /** The broker takes no messages, because of an alarm. */
    blocked: transport.blocked,
    /** Shards that this process owns. */
    shards,
    stalledShards,
    failingInits,
    parkedKeys,
    /** Milliseconds. */
    withoutProgress: Math.round(oldestHead),
  };
}

function problemsOf(
  { transport, stalledShards, failingInits, oldestHead }: EngineStatus,
  maxWithoutProgress: number,
): string[] {
  return [
    ...(transport.connected ? [] : ['the transport is not connected']),
    ...(transport.blocked ? ['the broker takes no messages'] : []),
    ...(stalledShards.length > 0 ? [`shards whose side queue is full: ${stalledShards.join(', ')}`] : []),
    ...(failingInits > 0 ? [`keys whose init fails: ${failingInits}`] : []),
    ...(oldestHead > maxWithoutProgress ? [`no progress of some key for ${Math.round(oldestHead)} ms`] : []),
  ];
}
