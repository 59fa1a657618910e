import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { NoOwnerError, ShardNotOwnedError, SignalTimeoutError } from '@mississippi/core';
import type { WaitingCallback } from '@mississippi/core/transport';
import { assertBytes } from '../../conformance/assertions.js';
import { conformanceCase, type ConformanceCase } from '../conformance-case.js';
import type { Peer } from '../peer.js';
import type { Stage } from '../stage.js';

/** Milliseconds after which a signal that is not to be answered is given up. */
const SHORT = 200;

const needs = ['signals'] as const;

/** A signal reaches the owner of its shard from any connection, and the answer comes back, both as they are. */
export const signalCases: readonly ConformanceCase[] = [
  conformanceCase('signals and their answers arrive byte by byte, whatever they hold', { needs }, async (stage) => {
    const received: Uint8Array[] = [];
    const answers = [1, 0, 5_000, 1_048_576, 3].map((size) => randomBytes(size));
    const owner = await stage.consumer({
      onSignal: async (_session, { key, signal, started }) => {
        assertBytes(key, stage.key(1), 'the key of a signal');
        received.push(Buffer.from(signal));
        started();
        return answers[received.length - 1]!;
      },
    });
    await owner.session(1);
    const caller = await stage.producer();
    const signals = [0, 1, 1_048_576, 5_000, 256].map((size) => randomBytes(size));
    for (const [index, signal] of signals.entries()) {
      assertBytes(await send(stage, caller, 1, signal), answers[index], `answer ${index}`);
      assertBytes(received[index], signal, `signal ${index}`);
    }
  }),

  conformanceCase('the owner of a shard gets the callbacks that wait for a signal', { needs }, async (stage) => {
    const received: (readonly WaitingCallback[])[] = [];
    const owner = await stage.consumer({
      onSignal: async (_session, { signal, started, waiting }) => {
        received.push(waiting);
        started();
        return signal;
      },
    });
    await owner.session(0);
    const caller = await stage.producer();
    const chains = [[], [{ id: 'one/1', key: '"k"' }], ['a', 'ü', '"'].map((key, n) => ({ id: `two/${n}`, key }))];
    for (const chain of chains) await send(stage, caller, 0, Buffer.of(1), stage.harness.within, chain);
    assert.deepEqual(received, chains);
  }),

  conformanceCase(
    'each of many signals under way gets its own answer, its sender the owner or not',
    { needs },
    async (stage) => {
      const owner = await stage.consumer();
      await owner.session(0);
      const caller = await stage.producer();
      const signals = Array.from({ length: 40 }, (_, index) => Buffer.from(`signal ${index}`));
      const answers = await Promise.all(
        signals.map((signal, index) => send(stage, index % 2 === 0 ? caller : owner, 0, signal)),
      );
      answers.forEach((answer, index) => assertBytes(answer, signals[index], `answer ${index}`));
    },
  ),

  conformanceCase('a signal whose owner leaves before it starts goes to the next owner', { needs }, async (stage) => {
    let asked = false;
    const leaving = await stage.consumer({
      onSignal: async (session) => {
        asked = true;
        stage.journal.wake();
        await stage.journal.until(`${session.name} to end`, () => !session.isOpen);
        throw new ShardNotOwnedError(session.shard, 'of the case');
      },
    });
    await leaving.session(0);
    const caller = await stage.producer();
    const answer = send(stage, caller, 0, Buffer.from('who?'));
    await stage.journal.until('the first owner to be asked', () => asked);
    leaving.connection.stopClaiming();
    const next = await stage.open({ onSignal: async () => Buffer.from('the next owner') });
    const closing = leaving.close();
    await next.consume();
    await closing;
    assertBytes(await answer, Buffer.from('the next owner'), 'the answer');
  }),

  conformanceCase(
    'a signal that is not answered in time rejects, and says whether it had started',
    { needs },
    async (stage) => {
      const owner = await stage.consumer({
        onSignal: async (_session, { signal, started }) => {
          if (signal.length > 0) started();
          return new Promise<never>(() => undefined);
        },
      });
      await owner.session(0);
      const caller = await stage.producer();
      for (const signal of [Buffer.alloc(0), Buffer.alloc(1)]) {
        const error: unknown = await send(stage, caller, 0, signal, SHORT).catch((thrown: unknown) => thrown);
        assert.ok(error instanceof SignalTimeoutError, `SignalTimeoutError was expected, not ${String(error)}`);
        // The owner here never says that one will not run: then nobody knows.
        if (signal.length > 0) assert.equal(error.started, true, 'whether the signal had started');
        else assert.notEqual(error.started, true, 'whether the signal had started');
      }
    },
  ),

  conformanceCase('a signal to a shard that nobody owns rejects with NoOwnerError', { needs }, async (stage) => {
    const caller = await stage.producer();
    const error: unknown = await send(stage, caller, 0, Buffer.alloc(0), SHORT).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof NoOwnerError, `NoOwnerError was expected, not ${String(error)}`);
  }),
];

function send(
  stage: Stage,
  caller: Peer,
  shard: number,
  signal: Uint8Array,
  timeout = stage.harness.within,
  waiting: readonly WaitingCallback[] = [],
): Promise<Uint8Array> {
  const { connection, name } = caller;
  assert.ok(connection.sendSignal !== undefined, 'a transport without sendSignal lists signals as unsupported');
  const answer = connection.sendSignal(shard, stage.key(shard), signal, timeout, waiting);
  return stage.journal.settled(`the answer to a signal of ${name}`, answer);
}
