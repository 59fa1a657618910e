import type { Hello, WireError } from '../../src/wire.js';
import { readEvents, type Told } from './sse.js';

/** Where the page's own files are, and its API beside them. */
const BASE = import.meta.url.replace(/[^/]*$/, '');
/** Of this tab alone: other servers of this machine, on other ports, never get it. */
const STORED = 'mississippi-token';

/** Why something was refused, in words that say what to do. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Whether there was one. The token comes behind the `#`, which no server and no proxy sees, and does not stay there. */
export function takeToken(): boolean {
  const token = /^#token=([\w-]+)$/.exec(location.hash)?.[1];
  if (token === undefined) return false;
  saveToken(token);
  location.replace('#/');
  return true;
}

export function saveToken(token: string): void {
  sessionStorage.setItem(STORED, token);
}

/** The API as this page may use it. */
export class Api {
  private csrf = '';

  async hello(): Promise<Hello> {
    const hello = await this.get<Hello>('hello');
    this.csrf = hello.csrf;
    return hello;
  }

  /** @throws {ApiError} */
  async get<T>(name: string, parameters: Record<string, string> = {}): Promise<T> {
    const response = await this.ask(`${name}?${new URLSearchParams(parameters)}`, {});
    return (await response.json()) as T;
  }

  /** Server-sent events, until the signal says so or the server ends them. */
  async watch(parameters: Record<string, string>, signal: AbortSignal, told: Told): Promise<void> {
    const response = await this.ask(`live?${new URLSearchParams(parameters)}`, { signal });
    await readEvents(response, told);
  }

  /** @throws {ApiError} when it was refused, or failed */
  async act(name: string, parameters: object, progress: (data: Record<string, number>) => void): Promise<void> {
    const headers = { 'content-type': 'application/json', 'x-mississippi-csrf': this.csrf };
    const init = { method: 'POST', headers, body: JSON.stringify(parameters) };
    let ended = false;
    await readEvents(await this.ask(`actions/${name}`, init), (event, data) => {
      if (event === 'progress') progress(data as Record<string, number>);
      if (event === 'done') ended = true;
      if (event === 'failed') throw new ApiError((data as WireError).code, (data as WireError).message);
    });
    if (!ended) throw new ApiError('lost', 'The connection ended before the answer came. Look before you ask again.');
  }

  private async ask(path: string, init: RequestInit & { headers?: Record<string, string> }): Promise<Response> {
    const token = sessionStorage.getItem(STORED);
    const headers = { ...init.headers, ...(token !== null && { 'x-mississippi-token': token }) };
    const response = await fetch(`${BASE}api/${path}`, { ...init, headers, credentials: 'same-origin' });
    if (response.ok) return response;
    const said = (await response.json().catch(() => undefined)) as Partial<WireError> | undefined;
    throw new ApiError(
      said?.code ?? `http_${response.status}`,
      said?.message ?? `The app answered ${response.status}.`,
    );
  }
}
