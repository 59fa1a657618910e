import {
  OperatorTimeoutError,
  SignalOutcomeUnknownError,
  type DropProgress,
  type KeyReport,
  type MississippiOperator,
  type OperatorOptions,
  type StateChangeOptions,
} from '@mississippi/core';
import type { OperatorCall, Recorder } from '@mississippi/history';

/** An operator whose calls are recorded, with what he is told. Calls about one key are to follow each other. */
export class RecordedOperator {
  constructor(
    readonly inner: MississippiOperator,
    private readonly recorder: Recorder,
    private readonly options: OperatorOptions = {},
  ) {}

  pause(key: string): Promise<KeyReport | undefined> {
    return this.record('pause', key, () => this.inner.pause(key, this.options));
  }

  resume(key: string): Promise<KeyReport | undefined> {
    return this.record('resume', key, () => this.inner.resume(key, this.options));
  }

  retry(key: string): Promise<KeyReport | undefined> {
    return this.record('retry', key, () => this.inner.retry(key, this.options));
  }

  drop(key: string, messageId?: string): Promise<KeyReport | undefined> {
    const named = messageId === undefined ? {} : { messageId };
    return this.record('drop', key, () => this.inner.drop(key, { ...this.options, ...named }));
  }

  dropAll(key: string): Promise<number> {
    let count = 0;
    const progress = ({ dropped }: DropProgress): void => void (count = dropped);
    const drop = () => this.inner.dropAll(key, { ...this.options, progress });
    return this.record('dropAll', key, drop, () => ({ count }));
  }

  deactivate(key: string): Promise<KeyReport | undefined> {
    return this.record('deactivate', key, () => this.inner.deactivate(key, this.options));
  }

  editState(key: string, state: unknown, change: StateChangeOptions): Promise<void> {
    return this.record('changeState', key, () => this.inner.editState(key, state, { ...this.options, ...change }));
  }

  forgetState(key: string, change: StateChangeOptions & { version: number }): Promise<void> {
    return this.record('changeState', key, () => this.inner.forgetState(key, { ...this.options, ...change }));
  }

  restoreState(key: string, id: string, change: StateChangeOptions): Promise<void> {
    return this.record('changeState', key, () => this.inner.restoreState(key, id, { ...this.options, ...change }));
  }

  pauseType(type: string): Promise<void> {
    return this.record('pauseType', type, () => this.inner.pauseType(type, this.options));
  }

  resumeType(type: string): Promise<void> {
    return this.record('resumeType', type, () => this.inner.resumeType(type, this.options));
  }

  /**
   * @param process as `processes()` names it
   * @param name in the history
   */
  pauseIntake(process: string, name: string): Promise<void> {
    return this.record('pauseIntake', name, () => this.inner.pauseIntake(process, this.options));
  }

  /** As {@link pauseIntake}. */
  resumeIntake(process: string, name: string): Promise<void> {
    return this.record('resumeIntake', name, () => this.inner.resumeIntake(process, this.options));
  }

  private async record<T>(
    call: OperatorCall,
    about: string,
    ask: () => Promise<T>,
    told: () => { count?: number } = () => ({}),
  ): Promise<T> {
    this.recorder.record({ type: 'asked', call, about });
    try {
      const answer = await ask();
      this.recorder.record({ type: 'granted', call, about, ...told() });
      return answer;
    } catch (error) {
      // Of these nobody knows whether it is so.
      const unknown = error instanceof OperatorTimeoutError || error instanceof SignalOutcomeUnknownError;
      if (!unknown) this.recorder.record({ type: 'declined', call, about, ...told() });
      throw error;
    }
  }
}
