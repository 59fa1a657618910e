import { context, metrics, propagation, SpanKind, trace } from '@opentelemetry/api';
import { MeterProvider, MetricReader, type DataPoint } from '@opentelemetry/sdk-metrics';
import { NodeTracerProvider, NoopSpanProcessor, type ReadableSpan, type Span } from '@opentelemetry/sdk-trace-node';

/** Collects when it is asked to. */
class ManualReader extends MetricReader {
  protected override async onShutdown(): Promise<void> {
    // It holds nothing.
  }
  protected override async onForceFlush(): Promise<void> {
    // Nor does it send anything.
  }
}

/** Keeps spans in the order in which they began; their times are as exact as a millisecond. */
class SpanKeeper extends NoopSpanProcessor {
  readonly spans: Span[] = [];

  override onStart(span: Span): void {
    this.spans.push(span);
  }
}

/** An SDK as an app registers it, whose spans and metrics stay here. */
export class TestSdk {
  private readonly keeper = new SpanKeeper();
  readonly tracerProvider = new NodeTracerProvider({ spanProcessors: [this.keeper] });
  private readonly reader = new ManualReader();
  readonly meterProvider = new MeterProvider({ readers: [this.reader] });

  /** Registers both; the W3C propagators and a context manager with them. */
  register(): this {
    this.tracerProvider.register();
    metrics.setGlobalMeterProvider(this.meterProvider);
    return this;
  }

  static unregister(): void {
    trace.disable();
    metrics.disable();
    context.disable();
    propagation.disable();
  }

  /** Those that have ended, in the order in which they began. */
  get spans(): ReadableSpan[] {
    return this.keeper.spans.filter((span) => span.ended);
  }

  /** The names of those that have not. */
  get running(): string[] {
    return this.keeper.spans.filter((span) => !span.ended).map(({ name }) => name);
  }

  /** The spans of one name. */
  named(name: string): ReadableSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  /** The spans as trees, one line each: those that began first are first, and what is inside stands further in. */
  get trees(): string[] {
    return linesOf(this.spans, undefined, '');
  }

  /** What there is of a metric, by the values of some attributes. */
  async metric(name: string, ...attributes: string[]): Promise<Record<string, unknown>> {
    const { resourceMetrics } = await this.reader.collect();
    const all = resourceMetrics.scopeMetrics.flatMap(({ metrics: found }) => found);
    const points = all
      .filter(({ descriptor }) => descriptor.name === name)
      .flatMap(({ dataPoints }) => dataPoints as DataPoint<unknown>[]);
    return Object.fromEntries(
      points.map((point) => [attributes.map((one) => String(point.attributes[one])).join(' '), point.value]),
    );
  }

  /** The names of all metrics that there are, and of all their attributes. */
  async metricNames(): Promise<{ readonly metrics: string[]; readonly attributes: string[] }> {
    const { resourceMetrics } = await this.reader.collect();
    const all = resourceMetrics.scopeMetrics.flatMap(({ metrics: found }) => found);
    const attributes = all.flatMap(({ dataPoints }) => dataPoints.flatMap((point) => Object.keys(point.attributes)));
    return { metrics: all.map(({ descriptor }) => descriptor.name), attributes: [...new Set(attributes)] };
  }
}

/** What is inside a span, as lines. */
export function linesOf(spans: readonly ReadableSpan[], parent: string | undefined, indent: string): string[] {
  const known = new Set(spans.map((span) => span.spanContext().spanId));
  const inside = spans.filter(({ parentSpanContext }) => {
    const id = parentSpanContext?.spanId;
    return parent === undefined ? id === undefined || !known.has(id) : id === parent;
  });
  return inside.flatMap((span) => [
    `${indent}${span.name} (${SpanKind[span.kind]})`,
    ...linesOf(spans, span.spanContext().spanId, `${indent}  `),
  ]);
}
