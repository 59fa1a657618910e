import type { CallbackContext, DataUpdaterHandler, MessageContext } from '../../src/index.js';
import { Gate } from './test-engine.js';

type Script<State, Payload> = Partial<DataUpdaterHandler<State, Payload>>;

/** A handler that notes every callback at its start and then does what the test's script says; without one it is content. */
export class RecordingHandler<State = unknown, Payload = string> implements DataUpdaterHandler<State, Payload> {
  /** `<key> init`, `<key> message <payload>`, `<key> signal <signal>`, `<key> continue <arg>`, `<key> terminate <reason>`. */
  readonly calls: string[] = [];

  constructor(private readonly script: Script<State, Payload> = {}) {}

  /** The callbacks of one key, without the key. */
  of(key: string): string[] {
    const prefix = `${key} `;
    return this.calls.filter((call) => call.startsWith(prefix)).map((call) => call.slice(prefix.length));
  }

  /** The payloads of one key in the order of their attempts. */
  messages(key: string): string[] {
    return this.of(key).flatMap((call) => (call.startsWith('message ') ? [call.slice('message '.length)] : []));
  }

  init(key: string, context: CallbackContext): State | Promise<State> {
    this.note(context, 'init');
    return this.script.init?.(key, context) as State;
  }

  handleMessage(
    payload: Payload,
    state: State,
    context: MessageContext,
  ): ReturnType<DataUpdaterHandler<State>['handleMessage']> {
    this.note(context, `message ${text(payload)}`);
    return this.script.handleMessage?.(payload, state, context);
  }

  handleSignal(signal: unknown, state: State, context: CallbackContext): unknown {
    this.note(context, `signal ${text(signal)}`);
    return this.script.handleSignal?.(signal, state, context);
  }

  handleContinue(
    argument: unknown,
    state: State,
    context: CallbackContext,
  ): ReturnType<NonNullable<DataUpdaterHandler<State>['handleContinue']>> {
    this.note(context, `continue ${text(argument)}`);
    return this.script.handleContinue?.(argument, state, context);
  }

  terminate(reason: unknown, state: State, context: CallbackContext): void | Promise<void> {
    this.note(context, `terminate ${text(reason)}`);
    return this.script.terminate?.(reason, state, context);
  }

  private note(context: CallbackContext, call: string): void {
    this.calls.push(`${text(context.key)} ${call}`);
  }
}

/** Where callbacks wait until the test lets them go on, each at a name of its own. */
export class Gates<T = void> {
  private readonly waiting: { name: string; gate: Gate<T> }[] = [];

  /** Waits until the test opens the gate. */
  at(name: string): Promise<T> {
    const gate = new Gate<T>();
    this.waiting.push({ name, gate });
    return gate.promise;
  }

  /** Lets go on whoever waits the longest at this gate. */
  open(name: string, value: T): void {
    this.take(name).resolve(value);
  }

  fail(name: string, error: Error): void {
    this.take(name).reject(error);
  }

  /** Who waits, in the order of arrival. */
  get names(): string[] {
    return this.waiting.map(({ name }) => name);
  }

  private take(name: string): Gate<T> {
    const index = this.waiting.findIndex((entry) => entry.name === name);
    if (index < 0) throw new Error(`nobody waits at the gate ${name}; there are: ${this.names.join(', ')}`);
    return this.waiting.splice(index, 1)[0]!.gate;
  }
}

/** What has become of a promise so far. */
export function watch<T>(promise: Promise<T>): { state: 'pending' | 'resolved' | 'rejected'; value: unknown } {
  const watched: ReturnType<typeof watch> = { state: 'pending', value: undefined };
  promise.then(
    (value) => Object.assign(watched, { state: 'resolved', value }),
    (error: unknown) => Object.assign(watched, { state: 'rejected', value: error }),
  );
  return watched;
}

/** A key, a payload or a reason in words. */
export function text(value: unknown): string {
  return value instanceof Error ? value.message : String(value);
}
