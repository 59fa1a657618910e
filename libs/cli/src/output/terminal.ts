/** Where a command writes and what it may ask. */
export interface Terminal {
  readonly out: Sink;
  readonly err: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where files are looked for. */
  readonly folder: string;
  /** Fires at the first Ctrl-C. */
  readonly interrupted: AbortSignal;
  /** Asks a question; only where {@link Sink.isTty} says that somebody is there. */
  ask(question: string): Promise<string>;
  /** Reads what is piped in, to its end. */
  read(): Promise<Buffer>;
}

/** One of the two streams. */
export interface Sink {
  readonly isTty: boolean;
  /** Its width at this moment. */
  readonly columns: number;
  readonly colours: boolean;
  write(text: string): void;
}

/** What a text that is no terminal's is cut to: not at all. */
const ENDLESS = Number.MAX_SAFE_INTEGER;
/** Of a terminal that does not say how wide it is. */
const USUAL = 80;
/** The status of a process that Ctrl-C has ended: 128 and the signal's number (POSIX shells). */
const INTERRUPTED = 130;

/** The terminal of a process. The first Ctrl-C asks to stop in good order, the second one ends it. */
export function terminalOf(own: NodeJS.Process): Terminal {
  const stopping = new AbortController();
  own.on('SIGINT', () => {
    if (stopping.signal.aborted) own.exit(INTERRUPTED);
    stopping.abort();
  });
  // Whoever reads what we write has read enough, as `head` does.
  for (const stream of [own.stdout, own.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => own.exit(error.code === 'EPIPE' ? 0 : 1));
  }
  return {
    out: sinkOf(own.stdout, own.env),
    err: sinkOf(own.stderr, own.env),
    env: own.env,
    folder: own.cwd(),
    interrupted: stopping.signal,
    ask: async (question) => {
      const { createInterface } = await import('node:readline/promises');
      const lines = createInterface({ input: own.stdin, output: own.stderr });
      try {
        return await lines.question(question, { signal: stopping.signal });
      } finally {
        lines.close();
      }
    },
    read: async () => {
      const parts: Buffer[] = [];
      for await (const part of own.stdin) parts.push(part as Buffer);
      return Buffer.concat(parts);
    },
  };
}

function sinkOf(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Sink {
  const isTty = stream.isTTY;

  // https://no-color.org: any value but the empty one.
  const refused = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return {
    isTty,
    get columns() {
      return isTty ? stream.columns || USUAL : ENDLESS;
    },
    colours: isTty && !refused,
    write: (text) => void stream.write(text),
  };
}
