import type { IncomingMessage } from 'node:http';
import { Refusal } from './refusal.js';
import type { Exchange } from './exchange.js';

/** Bytes. An action names a key and little more. */
const LARGEST_BODY = 16_384;

const NOT_JSON = new Refusal(400, 'body_invalid', 'The body is no JSON object.');

/**
 * The body of an action. A form of another site can send no `application/json`.
 * @param largest bytes
 * @throws {Refusal}
 */
export async function readBody(
  { request, body }: Exchange,
  largest = LARGEST_BODY,
): Promise<Readonly<Record<string, unknown>>> {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new Refusal(415, 'not_json', 'An action is sent as application/json.');
  }
  if (Number(request.headers['content-length'] ?? 0) > largest) throw tooLarge(largest);
  const value = body === undefined ? parse(await readAll(request, largest)) : body;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw NOT_JSON;
  // Of a chunked body nobody has said the length.
  if (body !== undefined && JSON.stringify(body).length > largest) throw tooLarge(largest);
  return value as Readonly<Record<string, unknown>>;
}

/** Where the app parses no bodies. */
async function readAll(request: IncomingMessage, largest: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largest) throw tooLarge(largest);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function tooLarge(largest: number): Refusal {
  return new Refusal(413, 'body_too_large', `What was sent is larger than ${largest} bytes.`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw NOT_JSON;
  }
}
