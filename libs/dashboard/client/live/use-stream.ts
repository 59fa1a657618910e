import { useEffect, useRef, useState } from 'preact/hooks';
import type { Api } from './api.js';
import type { Told } from './sse.js';

export type Connection = 'connecting' | 'live' | 'hidden' | 'away';

/** After a connection was lost. Milliseconds. */
const AGAIN = 2_000;

/** Keeps a stream open while the page is seen: in a tab behind others nobody looks, and nothing is to be counted for it. */
export function useStream(api: Api, parameters: Record<string, string>, told: Told): Connection {
  const [connection, setConnection] = useState<Connection>('connecting');
  const latest = useRef(told);
  latest.current = told;
  const key = JSON.stringify(parameters);
  useEffect(() => {
    let abort = new AbortController();
    let timer: number | undefined;
    const open = async (): Promise<void> => {
      const { signal } = (abort = new AbortController());
      try {
        await api.watch(JSON.parse(key) as Record<string, string>, signal, (event, data) => {
          setConnection('live');
          latest.current(event, data);
        });
      } catch {
        // What went wrong shows in that nothing comes; it is tried again.
      }
      if (signal.aborted) return;
      setConnection('away');
      timer = window.setTimeout(() => void open(), AGAIN);
    };
    const close = (): void => {
      window.clearTimeout(timer);
      abort.abort();
    };
    const turn = (): void => {
      close();
      setConnection(document.hidden ? 'hidden' : 'connecting');
      if (!document.hidden) void open();
    };
    document.addEventListener('visibilitychange', turn);
    turn();
    return () => {
      document.removeEventListener('visibilitychange', turn);
      close();
    };
  }, [api, key]);
  return connection;
}
