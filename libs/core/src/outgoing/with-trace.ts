import type { MessageHeaders } from '../interfaces/message-headers.interface.js';
import type { TraceHeaders } from '../telemetry/telemetry.interface.js';

/** A message with what travels with it; headers that its publisher gave stay as they are. */
export function withTrace<Message extends { readonly headers: MessageHeaders }>(
  message: Message,
  headers: TraceHeaders | undefined,
): Message {
  return headers === undefined ? message : { ...message, headers: { ...headers, ...message.headers } };
}
