import { SessionEndedError, ShuttingDownError } from '../../src/index.js';
import type { EpochSource } from '../../src/engine/shards/epoch-source.js';
import { settled } from '../support/fake-clock.js';
import { RecordingHandler } from '../support/recording-handler.js';
import { ScriptedEpoch, ScriptedTransport } from '../support/scripted-transport.js';
import { Gate, startEngine } from '../support/test-engine.js';

/** Gives numbers when the test says so, as a store does. */
class SlowEpochs implements EpochSource {
  readonly asked: number[] = [];
  readonly gates: Gate<number>[] = [];

  next(shard: number): Promise<number> {
    const gate = new Gate<number>();
    this.asked.push(shard);
    this.gates.push(gate);
    return gate.promise;
  }
}

async function startSlow() {
  const epochs = new SlowEpochs();
  const handler = new RecordingHandler();
  const transport = new ScriptedTransport();
  return { epochs, handler, ...(await startEngine(handler, { transport, epochs })) };
}

describe('an epoch whose number somebody else gives', () => {
  test('opens once the number is there, and bears it', async () => {
    const { transport, epochs, handler, of } = await startSlow();
    const epoch = new ScriptedEpoch([]);
    const opening = transport.claim(epoch);
    await settled();
    expect(epochs.asked).toEqual([0]);
    expect(of('shardOwned')).toEqual([]);
    epochs.gates[0]!.resolve(17);
    const receiver = await opening;
    expect(receiver.epoch).toBe(17);
    expect(of('shardOwned')).toMatchObject([{ shard: 0, epoch: 17 }]);
    epoch.deliver('k', 'a');
    await settled();
    expect(handler.messages('k')).toEqual(['a']);
  });

  test('is refused when the number is', async () => {
    const { transport, epochs, service } = await startSlow();
    const opening = transport.claim(new ScriptedEpoch([]));
    epochs.gates[0]!.reject(new Error('the store is away'));
    await expect(opening).rejects.toThrow('the store is away');
    expect(service.status().shards).toBe(0);
  });

  test('does not open when the app began to close meanwhile', async () => {
    const { transport, epochs, engine, of } = await startSlow();
    const opening = transport.claim(new ScriptedEpoch([]));
    await engine.drain();
    epochs.gates[0]!.resolve(1);
    await expect(opening).rejects.toBeInstanceOf(ShuttingDownError);
    expect(of('shardOwned')).toEqual([]);
  });

  test('is refused when the shard was lost and opened again meanwhile, and the later epoch goes on', async () => {
    const { transport, epochs, handler, service } = await startSlow();
    const overtaken = transport.claim(new ScriptedEpoch([]));
    const later = new ScriptedEpoch([]);
    const opening = transport.claim(later);
    epochs.gates[1]!.resolve(2);
    expect((await opening).epoch).toBe(2);
    epochs.gates[0]!.resolve(1);
    await expect(overtaken).rejects.toBeInstanceOf(SessionEndedError);
    later.deliver('k', 'a');
    await settled();
    expect(handler.messages('k')).toEqual(['a']);
    expect(later.settled).toEqual(['a']);
    expect(service.status().shards).toBe(1);
  });

  test('that is lost as soon as it is open leaves nothing behind', async () => {
    const { transport, epochs, service, of } = await startSlow();
    const opening = transport.claim(new ScriptedEpoch([]));
    epochs.gates[0]!.resolve(3);
    const receiver = await opening;
    receiver.lost(new Error('the connection broke meanwhile'));
    await settled();
    expect(of('shardLost')).toMatchObject([{ shard: 0, epoch: 3 }]);
    expect(service.status()).toMatchObject({ shards: 0, liveKeys: 0 });
  });
});
