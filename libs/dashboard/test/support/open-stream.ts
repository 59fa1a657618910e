import { get, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { eventsIn, type OpenApp } from './open-app.js';

/** A viewer's stream. */
export interface OpenStream {
  readonly response: IncomingMessage;
  /** The next event of a kind. */
  next<T>(event: string): Promise<T>;
  close(): void;
}

export async function openStream({ port, token }: OpenApp, path: string): Promise<OpenStream> {
  const headers = { 'x-mississippi-token': token! };
  const sent = get({ port, host: '127.0.0.1', path: `/mississippi/api/${path}`, headers, agent: false });
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  const parts = (response as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  return {
    response,
    async next<T>(event: string) {
      for (;;) {
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          const [found] = eventsIn(text.slice(0, end));
          text = text.slice(end + 2);
          if (found!.event === event) return found!.data as T;
        }
        const part = await parts.next();
        if (part.done === true) throw new Error(`The stream ended before an event ${event} came.`);
        text += part.value.toString();
      }
    },
    close: () => void sent.destroy(),
  };
}
