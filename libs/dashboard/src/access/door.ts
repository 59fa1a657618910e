import type { IncomingMessage } from 'node:http';
import { Refusal } from '../http/refusal.js';
import { hasCsrfToken } from './csrf.js';
import { isLocal } from './loopback.js';
import { foreignOrigin, isSameOrigin } from './same-origin.js';
import { isSame, newSecret } from './secrets.js';

export const TOKEN_HEADER = 'x-mississippi-token';

/** Whether a request is let in, once the user's guards have let it through. */
export class Door {
  /** What who has no guards is asked for; `undefined` where there are guards. */
  readonly token: string | undefined;

  constructor(
    guarded: boolean,
    private readonly actions: boolean,
  ) {
    this.token = guarded ? undefined : newSecret();
  }

  /**
   * For the page itself, which shows nothing yet.
   * @throws {Refusal}
   */
  page(request: IncomingMessage): void {
    if (this.token !== undefined && !isLocal(request)) throw NOT_LOCAL;
  }

  /** @throws {Refusal} */
  look(request: IncomingMessage): void {
    this.page(request);
    if (!isSameOrigin(request)) throw new Refusal(403, 'foreign_origin', foreignOrigin(request));
    if (this.token !== undefined && !isSame(request.headers[TOKEN_HEADER], this.token)) throw NO_TOKEN;
  }

  /** @throws {Refusal} */
  action(request: IncomingMessage): void {
    this.look(request);
    if (!this.actions) throw ACTIONS_OFF;
    if (!hasCsrfToken(request)) throw NO_CSRF_TOKEN;
  }
}

const NOT_LOCAL = new Refusal(
  403,
  'not_local',
  'Without guards the dashboard answers on loopback only, and to no proxy. Give MississippiDashboardModule.forRoot guards, or open it on the machine itself.',
);
const NO_TOKEN = new Refusal(401, 'token_required', 'Give the token that the app logged when it started.');
const ACTIONS_OFF = new Refusal(
  403,
  'actions_off',
  'Actions are off. Switch them on by MississippiDashboardModule.forRoot({ actions: true }).',
);
const NO_CSRF_TOKEN = new Refusal(
  403,
  'csrf_token_required',
  'The token of this page is missing. Load the page again.',
);
