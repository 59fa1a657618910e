import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SessionEndedError, systemClock } from '@mississippi/core';
import { inspectKey, type TransportConnection, type TransportContext } from '@mississippi/core/transport';
import { encodeTerm } from '@mississippi/terms';
import {
  Journal,
  ShardRecorder,
  transportConformance,
  type DeadLetter,
  type OpenOptions,
  type RawMessage,
  type TransportHarness,
} from '@mississippi/testing/transport';
import { FileFolder } from './file-folder.js';
import { fileTransport, type FileConnection } from './file-transport.js';
import { encodeRecord, RecordFile, type Append } from './record-file.js';
import type { StoredMessage } from './shard-files.js';

const CONTEXT: TransportContext = {
  instance: 'default',
  logger: { log: () => undefined, warn: () => undefined, error: console.error },
  keyText: inspectKey,
  clock: systemClock,
};

class FileHarness implements TransportHarness {
  readonly within = 10_000;
  readonly durable = true;
  readonly unsupported = ['signals', 'deadLetterReader'] as const;
  readonly root = mkdtempSync(join(tmpdir(), 'mississippi-file-'));
  private spaces = 0;
  private blocked = false;
  private folder!: FileFolder;

  reset(): Promise<void> {
    this.blocked = false;
    this.folder = new FileFolder(join(this.root, String(this.spaces++)), this.append);
    return Promise.resolve();
  }

  open({ totalCount, prefetch, producerOnly }: OpenOptions): Promise<TransportConnection> {
    const instance = producerOnly ? 'producer' : 'consumer';
    return fileTransport({ folder: this.folder, totalCount, prefetch }).connect({ ...CONTEXT, instance });
  }

  crash(connection: TransportConnection): Promise<void> {
    (connection as FileConnection).crash();
    return Promise.resolve();
  }

  deadLetters(): Promise<readonly DeadLetter[]> {
    return Promise.resolve(this.folder.deadLetters.take() as DeadLetter[]);
  }

  loseShard(_connection: TransportConnection, shard: number): Promise<void> {
    this.folder.owner(shard)?.lose(new Error('The shard was taken away.'));
    return Promise.resolve();
  }

  injectRaw(shard: number, message: RawMessage): Promise<void> {
    this.folder.messages(shard).append(encodeRecord(message satisfies StoredMessage));
    return Promise.resolve();
  }

  block(): Promise<void> {
    this.blocked = true;
    return Promise.resolve();
  }

  unblock(): Promise<void> {
    this.blocked = false;
    return Promise.resolve();
  }

  /** Messages do not fit any more, settlements do. */
  private readonly append = (path: string, bytes: Uint8Array): void => {
    if (this.blocked && !path.endsWith('.settled')) {
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    }
    appendFileSync(path, bytes);
  };
}

const KEY = encodeTerm('key');

async function start(path: string, append?: Append): Promise<{ connection: FileConnection; recorder: ShardRecorder }> {
  const transport = fileTransport({ folder: new FileFolder(path, append), totalCount: 1, prefetch: 3 });
  const connection = (await transport.connect(CONTEXT)) as FileConnection;
  const recorder = new ShardRecorder({ name: 'A', journal: new Journal(5_000), prefetch: 3 });
  await connection.consume(recorder);
  return { connection, recorder };
}

function publish({ publisher }: FileConnection, messageId: string): Promise<void> {
  const message = { shard: 0, key: KEY, body: new Uint8Array(1), headers: {}, messageId, timestamp: 1 };
  return publisher.publish(message, Infinity);
}

describe('a transport made of files, by the public interface alone', () => {
  const harness = new FileHarness();
  afterAll(() => rmSync(harness.root, { recursive: true }));

  const provable = transportConformance.filter(
    ({ needs }) => !needs.some((need) => harness.unsupported.some((lacking) => lacking === need)),
  );
  test.each(provable)('$name', ({ run }) => run(harness));

  test('gives the next process what was written and not settled, as redelivered, and what was set aside', async () => {
    const path = join(harness.root, 'next-process');
    const first = await start(path);
    for (const id of ['settled', 'parked', 'begun', 'new']) await publish(first.connection, id);
    const session = await first.recorder.session(0);
    const [settled, parked] = await session.received(3);
    session.settle(settled!);
    await session.park(parked!, 'held', { why: 'a test' });
    await session.received(4);
    void publish(first.connection, 'unwritten');
    first.recorder.crash();
    first.connection.crash();

    const next = await start(path);
    const opened = await next.recorder.session(0);
    expect((await opened.received(2)).map(({ messageId, redelivered }) => [messageId, redelivered])).toEqual([
      ['begun', true],
      ['new', true],
    ]);
    expect(opened.parked).toMatchObject([{ mode: 'held', notes: { why: 'a test' } }]);
    expect(await opened.readParked(KEY).next()).toMatchObject({ messageId: 'parked', redelivered: true });
    await publish(next.connection, 'last');
    opened.settle(opened.deliveries[0]!);
    expect((await opened.received(3)).at(-1)).toMatchObject({ messageId: 'last', redelivered: false });
    await next.connection.close();
  });

  test('a move that waits when its epoch ends takes no effect in the next one', async () => {
    let full = true;
    const { connection, recorder } = await start(join(harness.root, 'late-move'), (path, bytes) => {
      if (full && path.endsWith('.parked')) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      appendFileSync(path, bytes);
    });
    await publish(connection, 'message');
    const session = await recorder.session(0);
    const [message] = await session.received(1);
    const move = session.session.park(message!, 'held', {});
    session.giveUp(new Error('a test'));
    await expect(move).rejects.toThrow(SessionEndedError);
    const next = await recorder.session(0);
    await next.received(1);
    full = false;
    await publish(connection, 'later'); // Goes through the same writer, behind what waited.
    await next.close();
    const last = await recorder.session(0);
    expect(last.parked).toEqual([]);
    await last.received(2);
    await connection.close();
  });

  test('takes off what a killed process wrote of its last record', () => {
    const path = join(harness.root, 'torn');
    new RecordFile(path).append(encodeRecord('whole'));
    appendFileSync(path, encodeRecord('torn').subarray(0, -1));
    new RecordFile(path).append(encodeRecord('next'));
    expect(new RecordFile(path).read(0).values).toEqual(['whole', 'next']);
  });
});
