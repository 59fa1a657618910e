import { UsageError } from '../errors.js';
import type { Terminal } from '../output/terminal.js';

/** What may be given as a payload or a signal. */
export const PAYLOAD_FORMATS = ['json', 'text', 'base64'] as const;

export interface PayloadArgument {
  readonly payload: string;
  readonly format: (typeof PAYLOAD_FORMATS)[number];
}

/**
 * What is to be sent, and by which codec.
 * @throws {UsageError}
 */
export async function payloadOf(
  { payload, format }: PayloadArgument,
  terminal: Terminal,
): Promise<{ body: unknown; codec: 'json' | 'text' | 'bytes' }> {
  const text = payload === '-' ? (await terminal.read()).toString() : payload;
  if (format === 'text') return { body: text, codec: 'text' };
  if (format === 'base64') return { body: new Uint8Array(Buffer.from(text, 'base64')), codec: 'bytes' };
  return { body: jsonOf(text), codec: 'json' };
}

/** @throws {UsageError} */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new UsageError(
      `What is to be sent is no JSON (${(error as Error).message}). In a shell, put it between single quotes: '{"type":"statistics"}'.`,
      { cause: error },
    );
  }
}
