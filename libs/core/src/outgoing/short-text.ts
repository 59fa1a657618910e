import { isWellFormed } from '../well-formed.js';

/** AMQP 0-9-1, 4.2.5.3: a message id and the like are short strings. Bytes. */
const MOST_BYTES = 255;
/** What a UTF-16 unit takes at most. */
const BYTES_PER_UNIT = 3;

/** Whether a text can be a message's id or one of its properties. */
export function isShortText(text: string): boolean {
  const fits = text.length * BYTES_PER_UNIT <= MOST_BYTES || Buffer.byteLength(text) <= MOST_BYTES;
  return fits && isWellFormed(text);
}
