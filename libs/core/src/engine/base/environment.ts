import type { LoggerService } from '@nestjs/common';
import type { Clock } from '../../clock/clock.interface.js';
import type { KeyText } from '../../keys/key-text.js';
import type { ResolvedOptions } from '../../mississippi.options.js';
import type { PublishInput } from '../../interfaces/callback-context.interface.js';
import type { AroundCallback } from '../../testing/bench-work.interface.js';
import type { OutboxMessage } from '../../store/store.interface.js';
import type { Trace } from '../../telemetry/telemetry.interface.js';
import type { EngineTelemetry } from './engine-telemetry.js';
import type { EventSource } from './event-source.js';
import type { FailurePolicy } from './failure-policy.js';
import type { Log } from './log.js';
import type { PausedTypes } from './paused-types.js';
import type { Round } from './round.js';

/** What every part of an instance shares. */
export interface Environment {
  readonly options: ResolvedOptions;
  readonly log: Log;
  /** For what writes lines of its own. It never throws. */
  readonly logger: LoggerService;
  /** A key as it may appear in the log and in errors, which callers log. */
  readonly keyText: KeyText;
  readonly policy: FailurePolicy;
  readonly paused: PausedTypes;
  readonly clock: Clock;
  readonly round: Round;
  readonly events: EventSource;
  /** Set where traces or metrics are made. */
  readonly telemetry: EngineTelemetry | undefined;
  /** Set in tests of users: it is called instead of each callback. */
  readonly around: AroundCallback | undefined;
  /** @throws {PayloadEncodeError} */
  encodePayload(payload: unknown): Uint8Array;
  /**
   * What a callback publishes with its commit.
   * @param trace the callback's, where it has one
   */
  encodeMessage(payload: unknown, input: PublishInput, source: Uint8Array, trace: Trace | undefined): OutboxMessage;
}
