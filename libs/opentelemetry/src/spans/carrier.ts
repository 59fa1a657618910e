import type { MessageHeaders, TraceHeaders } from '@mississippi/core/telemetry';
import {
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  trace,
  type Context,
  type SpanContext,
  type TextMapGetter,
} from '@opentelemetry/api';

const HEADERS: TextMapGetter<MessageHeaders> = {
  keys: (headers) => Object.keys(headers),
  get(headers, name) {
    const value = headers[name];
    return typeof value === 'string' ? value : undefined;
  },
};

/** Where something comes from, as its headers say by the propagator that is registered. */
export function extract(headers: MessageHeaders | undefined): Context {
  return headers === undefined ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, headers, HEADERS);
}

/** The headers by which others will know where something comes from; `undefined` where there is nothing to say. */
export function inject(context: Context): TraceHeaders | undefined {
  const carrier: Record<string, string> = {};
  propagation.inject(context, carrier);
  for (const _ in carrier) return carrier;
  return undefined;
}

/** The span that a context comes from; `undefined` where it comes from none. */
export function originOf(context: Context): SpanContext | undefined {
  const origin = trace.getSpanContext(context);
  return origin !== undefined && isSpanContextValid(origin) ? origin : undefined;
}
