import { SignalTimeoutError } from '@mississippi/core';
import type { TransportConnection } from '@mississippi/core/transport';
import { transportConformance, type OpenOptions } from '@mississippi/testing/transport';
import { SlowHarness } from './slow-harness.js';

type Send = NonNullable<TransportConnection['sendSignal']>;

/** A faulty way to send signals, and the case that must find it. */
interface SignalMutant {
  readonly name: string;
  /** The beginning of the case's name. */
  readonly by: string;
  /** What the case says. */
  readonly says: RegExp;
  readonly fault: (send: Send) => Send;
}

const mutants: SignalMutant[] = [
  {
    name: 'an empty signal becomes one byte',
    by: 'signals and their answers arrive',
    says: /signal 0: expected 0 bytes/,
    fault:
      (send) =>
      (shard, key, signal, ...rest) =>
        send(shard, key, signal.length === 0 ? Buffer.of(0) : signal, ...rest),
  },
  {
    name: 'answers are read as text',
    by: 'signals and their answers arrive',
    says: /answer \d: expected/,
    fault:
      (send) =>
      async (...call) =>
        Buffer.from(Buffer.from(await send(...call)).toString()),
  },
  {
    name: 'nobody says who waits',
    by: 'the owner of a shard gets the callbacks',
    says: /deep/,
    fault:
      (send) =>
      (...call) =>
        send(call[0], call[1], call[2], call[3], []),
  },
  {
    name: 'an answer goes to whoever called last',
    by: 'each of many signals under way',
    says: /answer \d+: expected/,
    fault: (send) => {
      let last: Promise<Uint8Array>;
      return async (...call) => {
        const own = (last = send(...call));
        await own;
        return last;
      };
    },
  },
  {
    name: 'only the first owner is asked',
    by: 'a signal whose owner leaves',
    says: /reached nobody|did not get its turn/,
    fault:
      (send) =>
      (shard, key, signal, _timeout, ...rest) =>
        send(shard, key, signal, 10, ...rest),
  },
  {
    name: 'nobody says that a signal had started',
    by: 'a signal that is not answered in time',
    says: /whether the signal had started/,
    fault:
      (send) =>
      (...call) =>
        send(...call).catch(() => Promise.reject(new SignalTimeoutError('k', 1, false))),
  },
  {
    name: 'a shard without an owner is taken for a slow one',
    by: 'a signal to a shard that nobody owns',
    says: /NoOwnerError was expected/,
    fault:
      (send) =>
      (...call) =>
        send(...call).catch(() => Promise.reject(new SignalTimeoutError('k', 1, false))),
  },
];

class FaultyHarness extends SlowHarness {
  override readonly within = 1_000;

  constructor(private readonly fault: (send: Send) => Send) {
    super();
  }

  override async open(options: OpenOptions): Promise<TransportConnection> {
    const connection = await super.open(options);
    connection.sendSignal = this.fault(connection.sendSignal!.bind(connection));
    return connection;
  }
}

describe('the conformance suite notices when', () => {
  test.each(mutants)('$name', async ({ by, says, fault }) => {
    const cases = transportConformance.filter((one) => one.name.startsWith(by));
    expect(cases).toHaveLength(1);
    await expect(cases[0]!.run(new FaultyHarness(fault))).rejects.toThrow(says);
  });

  test('nothing is wrong, which it does not', async () => {
    const cases = transportConformance.filter(({ needs }) => needs.includes('signals'));
    expect(cases).toHaveLength(6);
    for (const { run } of cases) await run(new FaultyHarness((send) => send));
  });
});
