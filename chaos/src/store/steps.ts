import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Transport } from '@mississippi/core';
import type { ShardConsumer } from '@mississippi/core/transport';
import type { Store, StoreConnection } from '@mississippi/core/store';

export const STEPS = Symbol('steps');

/** What a process does at a step: it ends as if killed, or stands still until it is told to go on. */
export type StepFault = 'die' | 'stop';

/** Between which two steps, as seen from outside: what is asked is not on its way yet; it is; it is answered, and nobody was told. */
const PHASES = ['before', 'during', 'after'] as const;

const STORE_CALLS = ['openShard', 'load', 'lookUp', 'commit', 'resolve', 'outbox', 'enqueued', 'begin'] as const;
const SESSION_CALLS = ['settle', 'park', 'deadLetter', 'verify'] as const;

/** Every step at which a process can be struck. */
export const POINTS: readonly string[] = [
  'handler in its transaction',
  'handler with a lock',
  ...[
    ...STORE_CALLS.map((name) => `store.${name}`),
    'transaction.commit',
    'publisher.publish',
    ...SESSION_CALLS.map((name) => `session.${name}`),
  ].flatMap((call) => PHASES.map((phase) => `${phase} ${call}`)),
];

/** Where a key's callback was, of steps that know it. */
export interface StepPlace {
  readonly key?: string;
  readonly shard?: number;
}

/** Strikes this process at a step that somebody has chosen. */
export class Steps {
  private armed: { readonly point: string; readonly fault: StepFault } | undefined;

  constructor(
    private readonly folder: string,
    private readonly name: string,
  ) {}

  arm(point: string, fault: StepFault): void {
    this.armed = { point, fault };
  }

  disarm(): void {
    this.armed = undefined;
  }

  /** The process is there. */
  reach(point: string, place: StepPlace = {}): void {
    const { armed } = this;
    if (armed?.point !== point) return;
    this.armed = undefined;
    const mark = join(this.folder, struckMark(this.name));
    writeFileSync(`${mark}.new`, JSON.stringify(place));
    renameSync(`${mark}.new`, mark);
    process.kill(process.pid, armed.fault === 'die' ? 'SIGKILL' : 'SIGSTOP');
  }

  store(inner: Store): Store {
    const connect: Store['connect'] = async (context) => this.connection(await inner.connect(context));
    return over(inner, { connect });
  }

  transport(inner: Transport): Transport {
    const connect: Transport['connect'] = async (context) => {
      const connection = await inner.connect(context);
      return over(connection, {
        publisher: this.around(connection.publisher, 'publisher', ['publish']),
        consume: (consumer: ShardConsumer) =>
          connection.consume(
            over(consumer, { open: (session) => consumer.open(this.around(session, 'session', SESSION_CALLS)) }),
          ),
      });
    };
    return over(inner, { connect });
  }

  private connection(inner: StoreConnection): StoreConnection {
    const stepped = this.around(inner, 'store', STORE_CALLS);
    if (inner.begin === undefined) return stepped;
    const begin = async () => this.around(await stepped.begin!(), 'transaction', ['commit']);
    return over(stepped, { begin });
  }

  /** The same object, whose calls of these names have steps. */
  private around<T extends object>(inner: T, owner: string, names: readonly (keyof T & string)[]): T {
    const calls: Partial<T> = {};
    for (const name of names) {
      const call = inner[name];
      if (typeof call !== 'function') continue;
      const point = `${owner}.${name}`;
      calls[name] = ((...args: unknown[]): unknown => {
        this.reach(`before ${point}`);
        const answer: unknown = Reflect.apply(call, inner, args);
        // The system has what was written in this turn of the event loop.
        setImmediate(() => this.reach(`during ${point}`));
        if (!(answer instanceof Promise)) {
          setImmediate(() => this.reach(`after ${point}`));
          return answer;
        }
        return answer.then((result: unknown) => {
          this.reach(`after ${point}`);
          return result;
        });
      }) as T[typeof name];
    }
    return over(inner, calls);
  }
}

/** Exists once a process was struck at the step. */
export const struckMark = (name: string): string => `${name}.struck`;

function over<T extends object>(inner: T, members: Partial<T>): T {
  return new Proxy(inner, {
    get(_target, name) {
      const own: unknown = Reflect.get(members, name);
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(inner, name);
      return typeof value === 'function' ? (value.bind(inner) as unknown) : value;
    },
  });
}
