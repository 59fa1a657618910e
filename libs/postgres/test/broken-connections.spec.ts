import { createServer, type AddressInfo, type Server } from 'node:net';
import { StoreUnavailableError } from '@mississippi/core';
import pg from 'pg';
import { contextOf } from '#support/store-user.js';
import { postgres, type PostgresOptions } from '../src/index.js';

/** A message of the protocol: its kind, its length and its content. */
function message(kind: string, content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(4 + content.length);
  return Buffer.concat([Buffer.from(kind), length, content]);
}

const LOGGED_IN = message('R', Buffer.alloc(4));
const READY = message('Z', Buffer.from('I'));
const ENDED = message('E', Buffer.from('SFATAL\0VFATAL\0C57P01\0Mended by an administrator\0\0'));

describe('a server that ends a session in the packet that begins it', () => {
  let server: Server;
  let connectionString: string;

  beforeAll(async () => {
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(Buffer.concat([LOGGED_IN, READY, ENDED])));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    connectionString = `postgres://app@127.0.0.1:${(server.address() as AddressInfo).port}/app`;
  });

  afterAll(() => new Promise((resolve) => server.close(resolve)));

  async function connect(options: PostgresOptions): Promise<unknown> {
    return postgres(options)
      .connect(contextOf())
      .catch((error: unknown) => error);
  }

  test('does not end the process', async () => {
    expect(await connect({ connectionString, prepare: false })).toBeInstanceOf(StoreUnavailableError);
  });

  test("does not end it by an app's pool, which is left as it was", async () => {
    const pool = new pg.Pool({ connectionString });
    expect(await connect({ pool })).toBeInstanceOf(StoreUnavailableError);
    expect(pool.listenerCount('connect')).toBe(0);
    await pool.end();
  });
});
