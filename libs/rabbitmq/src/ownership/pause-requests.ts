import {
  NoCoordinatorError,
  OperatorTimeoutError,
  RemoteOperatorDisabledError,
  UnknownProcessError,
} from '@mississippi/core';
import type { Answer } from '../coordination/operator-mail.js';
import type { CoordinatorQuestions } from './coordinator-questions.js';

/** What an operator of this process asks of all, or of another, by way of whoever coordinates them. */
export class PauseRequests {
  constructor(
    private readonly questions: Pick<CoordinatorQuestions, 'request'>,
    /** Of this process, as its reports say. */
    private readonly id: string,
  ) {}

  async setIntake(process: string, paused: boolean, timeout: number): Promise<void> {
    const call = paused ? 'pauseIntake' : 'resumeIntake';
    const answer = await this.questions.request({ call: 'intake', process, paused, by: this.id }, timeout);
    check(answer, call, `${call} of ${process}`, timeout);
  }

  async setTypePaused(type: string, paused: boolean, timeout: number): Promise<void> {
    const call = paused ? 'pauseType' : 'resumeType';
    const answer = await this.questions.request({ call: 'type', type, paused, by: this.id }, timeout);
    check(answer, call, `${call} of ${JSON.stringify(type)}`, timeout);
  }

  async pausedTypes(timeout: number): Promise<readonly string[]> {
    const answer = await this.questions.request({ call: 'types' }, timeout);
    return check(answer, 'pausedTypes', 'pausedTypes', timeout).types ?? [];
  }
}

/**
 * @param what the call and what it was about
 * @throws where it was not done, or not in time
 */
function check(
  answer: Answer | undefined,
  call: string,
  what: string,
  timeout: number,
): Extract<Answer, { readonly kind: 'done' }> {
  switch (answer?.kind) {
    case 'done':
      return answer;
    case 'begun':
      throw new OperatorTimeoutError(what, timeout, true);
    case 'unknown':
      throw new UnknownProcessError(what.slice(`${call} of `.length));
    case 'guarded':
      throw new RemoteOperatorDisabledError(call, answer.process);
    default:
      throw new NoCoordinatorError(what, timeout);
  }
}
