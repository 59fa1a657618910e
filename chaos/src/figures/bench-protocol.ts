/** What a process that is measured is told at its start, in JSON. Nothing is recorded in it, and no proxy is before it. */
export interface BenchPlan {
  readonly url: string;
  readonly prefix: string;
  readonly quorum: boolean;
  readonly shards: number;
  readonly keys: number;
  /** Seconds. */
  readonly heartbeat: number;
  /** Milliseconds that each attempt waits. */
  readonly work: number;
  /** Most attempts at once; 0: it handles nothing, but publishes and signals. */
  readonly concurrency: number;
}

export interface BenchStatus {
  readonly handled: number;
  readonly shards: number;
  /** Milliseconds of CPU that the process has used. */
  readonly cpu: number;
}

interface Calls {
  status: { readonly ask: unknown; readonly answer: BenchStatus };
  /** Publishes so many messages as fast as it can. */
  publish: { readonly ask: { readonly messages: number }; readonly answer: null };
  /** From now on publishes so many messages per second. */
  load: { readonly ask: { readonly rate: number }; readonly answer: null };
  /** Signals one key after the other, one at a time. Answers with the milliseconds that each took. */
  signal: { readonly ask: { readonly times: number }; readonly answer: number[] };
}

export type CallName = keyof Calls;
export type Ask<Name extends CallName> = Calls[Name]['ask'];
export type Answer<Name extends CallName> = Calls[Name]['answer'];

export type Request = { readonly [Name in CallName]: { readonly call: Name; readonly ask: Ask<Name> } }[CallName];

/** `call` is missing once, when the process is up. */
export interface Response {
  readonly call?: CallName;
  readonly answer?: unknown;
  readonly error?: string;
}
