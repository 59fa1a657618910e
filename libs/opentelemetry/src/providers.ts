import { createNoopMeter, metrics, trace, type Meter, type Tracer, type TracerProvider } from '@opentelemetry/api';
import type { OpenTelemetryOptions } from './open-telemetry.options.js';
import { SCHEMA_URL } from './semantic-conventions.js';

/** The name of what makes the telemetry, its instrumentation scope. */
const SCOPE = '@mississippi/opentelemetry';

/** What the API hands out until an SDK is registered. */
interface Proxy extends TracerProvider {
  /** `undefined` until then. */
  getDelegateTracer(...scope: Parameters<TracerProvider['getTracer']>): Tracer | undefined;
}

/** A tracer that records, as far as one is there: what the API does without an SDK need not be called at all. */
export function findTracer({ traces = true, tracerProvider }: OpenTelemetryOptions): Tracer | undefined {
  if (!traces) return undefined;
  const provider = tracerProvider ?? trace.getTracerProvider();
  // Not by the class, of which another copy of the API would have its own.
  const isProxy = typeof Reflect.get(provider, 'getDelegateTracer') === 'function';
  const scope = [SCOPE, undefined, { schemaUrl: SCHEMA_URL }] as const;
  return isProxy ? (provider as Proxy).getDelegateTracer(...scope) : provider.getTracer(...scope);
}

/** The same for metrics. */
export function findMeter(options: OpenTelemetryOptions): Meter | undefined {
  if (options.metrics === false) return undefined;
  const provider = options.meterProvider ?? metrics.getMeterProvider();
  const meter = provider.getMeter(SCOPE, undefined, { schemaUrl: SCHEMA_URL });
  return meter === createNoopMeter() ? undefined : meter;
}
