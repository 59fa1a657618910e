import type { Terminal } from '../../src/output/terminal.js';

/** A terminal of so many columns that keeps what is written. */
export function fakeTerminal(env: Terminal['env'] = {}, { columns = 80, isTty = false, answer = '' } = {}) {
  const written = { out: '', err: '' };
  const sinkTo = (stream: 'out' | 'err') => ({
    isTty,
    columns,
    colours: false,
    write: (text: string) => void (written[stream] += text),
  });
  const terminal: Terminal = {
    out: sinkTo('out'),
    err: sinkTo('err'),
    env,
    folder: '/nowhere',
    interrupted: new AbortController().signal,
    ask: () => Promise.resolve(answer),
    read: () => Promise.resolve(Buffer.from(answer)),
  };
  return { terminal, written };
}
