import assert from 'node:assert/strict';
import { assertIds } from '../../conformance/assertions.js';
import { conformanceCase, type ConformanceCase } from '../conformance-case.js';
import type { Capability } from '../harness.js';
import type { Watched } from '../../conformance/journal.js';
import type { Peer } from '../peer.js';
import type { PeerOptions, Stage } from '../stage.js';

/** How often a shard cannot be opened. */
const REFUSALS = 2;

/** The least that a shard must rest before it is claimed again. Milliseconds. */
const LEAST_REST = 50;

/** A way in which a connection loses a shard that it is still opening. */
interface EarlyEnding {
  readonly name: string;
  readonly needs: readonly Capability[];
  /** Begins it; what it returns must resolve once the shard is open. */
  begin(stage: Stage, peer: Peer): Promise<Watched<unknown>>;
  /** Who may own the shard next. */
  successor(stage: Stage, peer: Peer): Promise<Peer>;
}

const earlyEndings: readonly EarlyEnding[] = [
  {
    name: 'the shard was lost',
    needs: ['loseShard'],
    begin: async (stage, peer) => stage.journal.watch('the shard to be taken away', peer.takeAway(0)),
    successor: async (_stage, peer) => peer,
  },
  {
    name: 'the connection was closed',
    needs: [],
    begin: async (stage, peer) => stage.journal.watch('the connection to close', peer.close()),
    successor: (stage) => stage.consumer(),
  },
];

/** A core that takes its time to open a shard, or cannot. */
export const openingCases: readonly ConformanceCase[] = [
  conformanceCase('messages wait while their shard is opened, and keep their order', { prefetch: 5 }, async (stage) => {
    const gate = new Gate();
    const producer = await stage.producer();
    const messages = stage.messages(12);
    await producer.publish(...messages.slice(0, 3));
    const { peer, consuming } = await slowly(stage, gate);
    const session = await peer.session(0);
    await producer.publish(...messages.slice(3, 8));
    await stage.roundTrips(producer, 1);
    assertIds(session.deliveries, [], 'nothing may be delivered yet');
    gate.open();
    await consuming.value();
    await producer.publish(...messages.slice(8));
    assertIds(await session.handle(12), messages, 'the order');
  }),

  conformanceCase('a shard that is still opened does not hold up the others', {}, async (stage) => {
    const gate = new Gate();
    const producer = await stage.producer();
    const { peer, consuming } = await slowly(stage, gate);
    await peer.session(0);
    for (let shard = 1; shard < stage.totalCount; shard++) {
      const messages = stage.messages(5, shard);
      await producer.publish(...messages);
      assertIds(await (await peer.session(shard)).handle(5), messages, `the messages of shard ${shard}`);
    }
    gate.open();
    await consuming.value();
  }),

  ...earlyEndings.map((ending) =>
    conformanceCase(
      `an epoch that ends while its shard is opened is lost, once, as soon as it is open, after ${ending.name}`,
      { prefetch: 5, needs: ending.needs },
      async (stage) => {
        const gate = new Gate();
        const producer = await stage.producer();
        const { peer } = await slowly(stage, gate);
        const session = await peer.session(0);
        const messages = stage.messages(8);
        await producer.publish(...messages);
        const ended = await ending.begin(stage, peer);
        // Confirms of the broker, in which it has had the time to end the epoch.
        for (const message of stage.messages(3, 1)) await producer.publish(message);
        gate.open();
        await session.wasLost();
        await ended.value();
        const next = await (await ending.successor(stage, peer)).session(0);
        assertIds(await next.handle(8), messages, 'what the next owner gets');
        await stage.roundTrips(producer, 2);
        assert.ok(session.cause instanceof Error, 'lost must get an error as its cause');
        assert.equal(session.lostCount, 1, 'how often it was told');
        assertIds(session.deliveries, [], 'an epoch that has ended gets nothing');
      },
    ),
  ),

  conformanceCase('a shard that cannot be opened is claimed again later, and loses nothing', {}, async (stage) => {
    const opened: number[] = [];
    const onOpen: PeerOptions['onOpen'] = ({ shard }) => {
      if (shard !== 0) return undefined;
      opened.push(performance.now());
      return opened.length <= REFUSALS ? Promise.reject(new Error('the case opens it later')) : Promise.resolve();
    };
    const producer = await stage.producer();
    const messages = stage.messages(8);
    await producer.publish(...messages.slice(0, 4));
    const peer = await stage.open({ onOpen });
    const consuming = consume(stage, peer);
    await stage.roundTrips(producer, 1);
    await producer.publish(...messages.slice(4));
    const session = await stage.journal.until(`shard 0 to be opened ${REFUSALS + 1} times`, () =>
      peer.recorder.sessions.find(({ shard, epoch }) => shard === 0 && epoch > REFUSALS),
    );
    await consuming.value();
    assertIds(await session.handle(8), messages, 'the order');
    await stage.roundTrips(producer, 1);
    assert.equal(opened.length, REFUSALS + 1, 'how often it was opened');
    for (let refusal = 0; refusal < REFUSALS; refusal++) {
      const rest = opened[refusal + 1]! - opened[refusal]!;
      assert.ok(rest >= LEAST_REST, `it must rest, and not be claimed again after ${rest.toFixed(1)} ms`);
    }
    for (const refused of peer.recorder.sessions.filter(({ shard, epoch }) => shard === 0 && epoch <= REFUSALS)) {
      const read = async (): Promise<unknown> => refused.readParked(stage.key(0)).next();
      await stage.journal.rejected(`a read of ${refused.name}, which was refused`, read());
    }
  }),
];

/** What opens only when it is told to. */
class Gate {
  open!: () => void;
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}

/** A connection whose shard 0 is opened when the gate is. */
async function slowly(stage: Stage, gate: Gate) {
  const peer = await stage.open({ onOpen: ({ shard }) => (shard === 0 ? gate.opened : undefined) });
  return { peer, consuming: consume(stage, peer) };
}

/** A connection may wait for its first sessions to open before it says that it consumes. */
function consume(stage: Stage, peer: Peer): Watched<unknown> {
  return stage.journal.watch(`${peer.name} to consume`, peer.consume());
}
