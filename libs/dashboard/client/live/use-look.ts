import { useCallback, useEffect, useState } from 'preact/hooks';
import { useShown } from './context.js';

export interface Looked<T> {
  readonly value: T | undefined;
  readonly problem: string | undefined;
  readonly busy: boolean;
  readonly again: () => void;
}

/** Looks once, and again when asked or when the parameters change. */
export function useLook<T>(name: string, parameters: Record<string, string>, each?: number): Looked<T> {
  const { api } = useShown();
  const [state, setState] = useState<Omit<Looked<T>, 'again'>>({ value: undefined, problem: undefined, busy: true });
  const [turn, setTurn] = useState(0);
  const key = JSON.stringify(parameters);
  const again = useCallback(() => setTurn((count) => count + 1), []);
  useEffect(() => setState({ value: undefined, problem: undefined, busy: true }), [name, key]);
  useEffect(() => {
    let current = true;
    setState(({ value, problem }) => ({ value, problem, busy: true }));
    api.get<T>(name, JSON.parse(key) as Record<string, string>).then(
      (value) => current && setState({ value, problem: undefined, busy: false }),
      (error: Error) => current && setState(({ value }) => ({ value, problem: error.message, busy: false })),
    );
    return () => {
      current = false;
    };
  }, [api, name, key, turn]);
  useEffect(() => {
    if (each === undefined) return undefined;
    const timer = window.setInterval(() => document.hidden || again(), each);
    return () => window.clearInterval(timer);
  }, [each, again]);
  return { ...state, again };
}
