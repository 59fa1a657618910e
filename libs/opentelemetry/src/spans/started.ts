import { describe, type OperationEnd, type TraceHeaders } from '@mississippi/core/telemetry';
import { SpanStatusCode, type Context, type Exception, type Span } from '@opentelemetry/api';
import { typeOf } from '../error-type.js';
import { OUTCOME } from '../own-names.js';
import { ERROR_TYPE } from '../semantic-conventions.js';

/** A span that has begun. */
export class Started {
  constructor(
    private readonly span: Span,
    /** In which the span is the present one. */
    readonly context: Context,
    readonly headers: TraceHeaders | undefined,
  ) {}

  end({ error, outcome }: OperationEnd): void {
    const { span } = this;
    try {
      if (outcome !== undefined) span.setAttribute(OUTCOME, outcome);
      if (error === undefined) return;
      span.setAttribute(ERROR_TYPE, typeOf(error));
      span.setStatus({ code: SpanStatusCode.ERROR, message: describe(error) });
      span.recordException(exceptionOf(error));
    } finally {
      span.end();
    }
  }
}

/** What is shown of an error, whatever its getters do. */
function exceptionOf(error: unknown): Exception {
  try {
    if (!(error instanceof Error)) return describe(error);
    const { name, message, stack } = error;
    return { name, message, ...(stack === undefined ? {} : { stack }) };
  } catch {
    return describe(error);
  }
}
