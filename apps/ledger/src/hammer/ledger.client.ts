import { setTimeout as delay } from 'node:timers/promises';
import type { Account } from '../app/account.js';
import type { PostingView } from '../app/posting-view.js';

/** How long nobody may be answered, while the app is killed, or cannot tell. Milliseconds. */
const PATIENCE = 60_000;
const PAUSE = 20;

export interface Answer {
  status: number;
  body: unknown;
}

/** What the client needs to know of the process that serves. */
export interface Served {
  /** Where it is at present. */
  url(): Promise<string>;
}

/** The app as it is seen from outside. It asks again, with the same key, until it is answered. */
export class LedgerClient {
  /** How often it had to ask again. */
  unanswered = 0;
  private lastAnswer = 0;

  constructor(private readonly served: Served) {}

  async statement(account: string): Promise<Account> {
    return (await this.send(`accounts/${account}/statement`)).body as Account;
  }

  /** What became of a transfer; `undefined` before its turn has come. */
  async posting(account: string, id: string): Promise<PostingView | undefined> {
    const { status, body } = await this.send(`accounts/${account}/postings/${id}`);
    return status === 200 ? (body as PostingView) : undefined;
  }

  async post(path: string, key: string, body: object): Promise<Answer> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': key };
    return this.send(path, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  private async send(path: string, init?: RequestInit): Promise<Answer> {
    const askedAt = performance.now();
    for (;;) {
      const answer = await this.attempt(`${await this.served.url()}/${path}`, init);
      const now = performance.now();
      if (!(answer instanceof Error)) {
        this.lastAnswer = now;
        return answer;
      }
      if (now - Math.max(askedAt, this.lastAnswer) > PATIENCE) throw answer;
      this.unanswered++;
      await delay(PAUSE);
    }
  }

  private async attempt(url: string, init?: RequestInit): Promise<Answer | Error> {
    try {
      const response = await fetch(url, { ...init, signal: AbortSignal.timeout(PATIENCE) });
      const body: unknown = await response.json();
      if (response.status < 500) return { status: response.status, body };
      return new Error(`${url} answers ${response.status}: ${JSON.stringify(body)}`);
    } catch (error) {
      return new Error(`${url} does not answer (${reasonOf(error)})`, { cause: error });
    }
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
}
