import { connect } from 'amqplib';

const NAME = 'tampered';

/**
 * Publishes a message with a header that amqplib cannot write: `fill` gets the header's value, whose type octet is
 * changed on the way out.
 */
export async function publishTampered(
  url: string,
  queue: string,
  type: string,
  size: number,
  fill: (value: Buffer) => void,
  body: string,
): Promise<void> {
  const model = await connect(url);
  const { stream } = model.connection as unknown as { stream: { write(chunk: Buffer, ...rest: unknown[]): boolean } };
  const write = stream.write.bind(stream);
  stream.write = (chunk, ...rest) => {
    const name = chunk.indexOf(`${String.fromCharCode(NAME.length)}${NAME}x`, 0, 'latin1');
    if (name >= 0) {
      const octet = name + 1 + NAME.length;
      chunk[octet] = type.charCodeAt(0);
      fill(chunk.subarray(octet + 5, octet + 5 + size));
    }
    return write(chunk, ...rest);
  };
  try {
    const channel = await model.createConfirmChannel();
    channel.publish('', queue, Buffer.from(body), { headers: { [NAME]: Buffer.alloc(size) }, persistent: true });
    await channel.waitForConfirms();
  } finally {
    await model.close();
  }
}

/** Lists inside lists, as deep as there is room for. */
export function nestLists(value: Buffer): void {
  let offset = 0;
  for (; offset + 5 <= value.length; offset += 5) {
    value.write('A', offset);
    value.writeUInt32BE(value.length - offset - 5, offset + 1);
  }
  value.fill('V', offset);
}

/** Tables inside tables, as deep as there is room for. */
export function nestTables(value: Buffer): void {
  for (let offset = 0; offset + 7 <= value.length; offset += 7) {
    value[offset] = 1;
    value.write('tF', offset + 1);
    value.writeUInt32BE(value.length - offset - 7, offset + 3);
  }
}
