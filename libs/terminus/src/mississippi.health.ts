import {
  type DataUpdaterService,
  DEFAULT_INSTANCE,
  type EngineStatus,
  getDataUpdaterServiceToken,
  type StoreHealth,
} from '@mississippi/core';
import { Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { InstanceNotFoundError } from './instance-not-found.error.js';

/**
 * What may be wrong with an instance: the broker cannot be reached, it takes no messages, the side queue of a shard is
 * full, `init` of a key fails, a key makes no progress, the store does not answer, what was committed to be
 * published is not taken by the broker.
 * @publicApi
 */
export type MississippiHealthProblem =
  'disconnected' | 'blocked' | 'stalledShards' | 'failingInits' | 'withoutProgress' | 'storeAway' | 'outboxHeld';

/** @publicApi */
export interface MississippiHealthOptions {
  /** Which instance is meant, in an app that has several. Default `'default'`. */
  instance?: string;
  /**
   * A problem when a message of the outbox, or some key's first message, has been here for longer than this, whether its handler runs or is retried, in
   * the side queue too. More than the longest that a message may take. Milliseconds, default `Infinity`.
   */
  maxWithoutProgress?: number;
  /**
   * Which problems make the instance degraded instead of down: they are reported, and the check of the app succeeds. Default
   * `['failingInits', 'withoutProgress', 'storeAway', 'outboxHeld']`: single keys wait, or all do for a store that a restart of the app would not
   * bring back.
   */
  degradedBy?: readonly MississippiHealthProblem[];
}

const DEGRADED_BY: readonly MississippiHealthProblem[] = ['failingInits', 'withoutProgress', 'storeAway', 'outboxHeld'];

/**
 * The health of one instance, over any transport: down when messages cannot come or go, or the side queue of a shard is
 * full; degraded when single keys cannot go on until somebody acts. Keys that somebody parked are reported but make it
 * neither.
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
    const { instance = DEFAULT_INSTANCE, maxWithoutProgress = Infinity, degradedBy = DEGRADED_BY } = options;
    const status = this.serviceOf(instance).status();
    const found = problemsOf(status, maxWithoutProgress);
    const indicator = this.health.check(key);
    if (found.length === 0) return indicator.up(figuresOf(status));
    const result = { problems: found.map(([, text]) => text), ...figuresOf(status) };
    return found.every(([problem]) => degradedBy.includes(problem))
      ? degraded(indicator, result)
      : indicator.down(result);
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

/** Terminus 11 knows no `degraded`. What it has of it is a check that succeeds, with the problems in its result. */
function degraded<Key extends string>(indicator: Session<Key>, result: object): HealthIndicatorResult<Key> {
  return indicator.degraded === undefined ? indicator.up(result) : indicator.degraded(result);
}

interface Session<Key extends string> {
  up(result: object): HealthIndicatorResult<Key>;
  degraded?(result: object): HealthIndicatorResult<Key>;
}

/** A problem, and its line in the result. */
type Problem = readonly [problem: MississippiHealthProblem, text: string];

/** Keys are not named: whoever may ask for the health need not know whom they are about. */
const WHERE_TO_LOOK = 'see state and lastError in liveKeys()';

function figuresOf(status: EngineStatus) {
  const { transport, shards, stalledShards, failingInits, parkedKeys, oldestHead, store } = status;
  return {
    connected: transport.connected,
    /** The broker takes no messages, because of an alarm. */
    blocked: transport.blocked,
    ...(store === undefined ? {} : storeFigures(store)),
    /** Shards that this process owns. */
    shards,
    stalledShards,
    failingInits,
    parkedKeys,
    /** Milliseconds. */
    withoutProgress: Math.round(oldestHead),
  };
}

function storeFigures({ connected, outbox }: StoreHealth) {
  return {
    storeConnected: connected,
    /** Messages that are committed and not yet taken by the broker. */
    outboxWaiting: outbox.waiting,
    /** Since when the first of them waits. Milliseconds. */
    outboxOldest: Math.round(outbox.oldest?.age ?? 0),
  };
}

function problemsOf(
  { transport, stalledShards, failingInits, oldestHead, store }: EngineStatus,
  maxWithoutProgress: number,
): Problem[] {
  const problems: Problem[] = [];
  if (!transport.connected) problems.push(['disconnected', 'the transport is not connected']);
  if (transport.blocked) problems.push(['blocked', 'the broker takes no messages']);
  if (store?.connected === false) {
    problems.push([
      'storeAway',
      `the store has not answered for ${store.awayFor ?? 0} ms: ${store.problem ?? 'no reason given'}`,
    ]);
  }
  if (stalledShards.length > 0) {
    problems.push(['stalledShards', `shards whose side queue is full: ${stalledShards.join(', ')}`]);
  }
  if (failingInits > 0) problems.push(['failingInits', `keys whose init fails: ${failingInits}; ${WHERE_TO_LOOK}`]);
  if (oldestHead > maxWithoutProgress) {
    problems.push(['withoutProgress', `no progress of some key for ${Math.round(oldestHead)} ms; ${WHERE_TO_LOOK}`]);
  }
  const held = store?.outbox.oldest;
  if (held !== undefined && held.age > maxWithoutProgress) {
    problems.push([
      'outboxHeld',
      `${store!.outbox.waiting} messages of the outbox wait, the first, to shard ${held.shard}, for ${Math.round(held.age)} ms: ${held.problem ?? 'the broker has not confirmed it'}`,
    ]);
  }
  return problems;
}
