import { connect, type ChannelModel } from 'amqplib';
import type { Settings } from '../options/settings.js';
import { passKeysThrough } from '../wire/pass-keys-through.js';
import { writeTogether, type CorkableStream } from '../wire/write-together.js';

/** The stream below a connection, as far as anybody but amqplib uses it. */
interface OpenStream extends CorkableStream {
  read(size?: number): Buffer | null;
  destroy(cause?: Error): void;
  on(event: 'readable', listener: () => void): unknown;
}

/** Opens a connection by amqplib, on a stream that carries sharding keys as they are and writes in few calls. */
export async function openModel(url: string, settings: Settings, purpose: string): Promise<ChannelModel> {
  const { tls, connectTimeout } = settings;
  const model = await connect(url, {
    ...tls,
    noDelay: true,
    timeout: connectTimeout,
    clientProperties: { connection_name: purpose },
  });
  const { stream, rest } = innerOf(model);
  writeTogether(stream);
  passKeysThrough(stream, rest);
  return model;
}

export function streamOf(model: ChannelModel): OpenStream {
  return innerOf(model).stream;
}

/** amqplib keeps the stream, and what it has not decoded yet, on the model's connection; its types leave them out. */
function innerOf(model: ChannelModel): { stream: OpenStream; rest: Buffer } {
  return model.connection as unknown as { stream: OpenStream; rest: Buffer };
}
