/** Bytes of a body, in the process and on RabbitMQ. */
const BODY_BYTES = 128;

/** JSON of 128 bytes. */
export function bodyOf(sequence: number): Buffer {
  const reading = { sequence, temperature: 21.5, unit: 'celsius', note: '' };
  return padded(reading, (note) => ({ ...reading, note }));
}

/** JSON of 128 bytes: the note of `content`, which is empty, is filled up. */
export function padded(content: object, withNote: (note: string) => object): Buffer {
  const missing = BODY_BYTES - Buffer.byteLength(JSON.stringify(content));
  return Buffer.from(JSON.stringify(withNote('x'.repeat(Math.max(0, missing)))));
}
