/** What an operator asks the coordinator. `by` is the process that asks, where it is a member. */
export type Asked =
  | { readonly call: 'intake'; readonly process: string; readonly paused: boolean; readonly by: string }
  | { readonly call: 'type'; readonly type: string; readonly paused: boolean; readonly by: string }
  | { readonly call: 'types' };

/** What the coordinator has a member do, who answers the operator himself. */
export interface IntakeRequest {
  readonly paused: boolean;
  /** Whoever waits for the answer, and for which. */
  readonly address: string;
  readonly question: string;
}

/**
 * What an operator is answered. `begun`: it is decided, or on its way; another answer follows.
 * `unknown`: no such process. `guarded`: that process takes no actions from others.
 */
export type Answer =
  | { readonly kind: 'begun' }
  | { readonly kind: 'done'; readonly types?: readonly string[] }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'guarded'; readonly process: string };

export function encodeMail(mail: Asked | IntakeRequest | Answer): Buffer {
  return Buffer.from(JSON.stringify(mail));
}

/** @throws when it is none */
export function decodeAsked(body: Uint8Array): Asked {
  const asked = JSON.parse(Buffer.from(body).toString()) as Asked;
  if (asked.call === 'types') return asked;
  const subject: unknown = asked.call === 'intake' ? asked.process : asked.call === 'type' ? asked.type : undefined;
  if (typeof subject !== 'string' || typeof asked.paused !== 'boolean') throw new TypeError('no request');
  return asked;
}

/** @throws when it is none */
export function decodeIntake(body: Uint8Array): IntakeRequest {
  const request = JSON.parse(Buffer.from(body).toString()) as IntakeRequest;
  if (typeof request.paused !== 'boolean' || typeof request.address !== 'string') throw new TypeError('no request');
  return request;
}

/** @throws when it is none */
export function decodeAnswer(body: Uint8Array): Answer {
  return JSON.parse(Buffer.from(body).toString()) as Answer;
}
