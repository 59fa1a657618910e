import { expects, Optional } from '@mississippi/core/telemetry';
import type { MeterProvider, TracerProvider } from '@opentelemetry/api';

const isBoolean = () => expects((value) => typeof value === 'boolean', 'a boolean value was expected');

const has = (method: string, what: string) =>
  expects(
    (value) => typeof value === 'object' && value !== null && typeof Reflect.get(value, method) === 'function',
    `${what} was expected`,
  );

/**
 * What `openTelemetry` takes.
 * @publicApi
 */
export class OpenTelemetryOptions {
  /** Whether spans are made. Default `true`. */
  @Optional()
  @isBoolean()
  traces?: boolean;

  /** Whether metrics are made. Default `true`. */
  @Optional()
  @isBoolean()
  metrics?: boolean;

  /**
   * Whether each message that is handled begins a trace of its own, which links to the one that published it. Default `false`: it
   * goes on in the trace that published it, and links to it too. A message that was delivered before always begins its own.
   */
  @Optional()
  @isBoolean()
  linkOnly?: boolean;

  /** Default: the one that is registered globally. Contexts and propagation are always by what is. */
  @Optional()
  @has('getTracer', 'a TracerProvider')
  tracerProvider?: TracerProvider;

  /** Default: the one that is registered globally. */
  @Optional()
  @has('getMeter', 'a MeterProvider')
  meterProvider?: MeterProvider;
}
