import {
  validateOptions,
  type InstanceTelemetry,
  type ObservedInstance,
  type Telemetry,
} from '@mississippi/core/telemetry';
import { OpenTelemetryInstance } from './instance.js';
import { OpenTelemetryOptions } from './open-telemetry.options.js';

/**
 * Makes spans and metrics of an instance by whatever OpenTelemetry SDK the app has registered; without one it costs next to nothing.
 * @example
 * MississippiModule.forRoot({ transport: rabbitmq(), telemetry: openTelemetry() })
 * @throws {InvalidOptionsError} when an option is unknown or wrong; all of them are named
 * @publicApi
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): OpenTelemetry {
  return new OpenTelemetry(validateOptions('openTelemetry', OpenTelemetryOptions, options));
}

/**
 * What {@link openTelemetry} makes. Several instances may share it.
 * @publicApi
 */
export class OpenTelemetry implements Telemetry {
  readonly name = 'opentelemetry';
  readonly traces: boolean;
  readonly #options: OpenTelemetryOptions;

  /** @internal */
  constructor(options: OpenTelemetryOptions) {
    this.traces = options.traces !== false;
    this.#options = options;
  }

  attach(instance: ObservedInstance): InstanceTelemetry {
    return new OpenTelemetryInstance(instance, this.#options);
  }
}
