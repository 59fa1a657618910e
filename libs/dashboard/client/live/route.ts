import { useLayoutEffect, useState } from 'preact/hooks';

/** Where in the page one is: `#/keys?shard=3`. */
export interface Route {
  readonly view: string;
  readonly id: string;
  readonly query: URLSearchParams;
}

function routeNow(): Route {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?', 2);
  const slash = path.indexOf('/');
  const [view, id] = slash < 0 ? [path, ''] : [path.slice(0, slash), path.slice(slash + 1)];
  return { view, id: decoded(id), query: new URLSearchParams(query) };
}

/** What somebody typed need not be well-formed. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function useRoute(): Route {
  const [route, setRoute] = useState(routeNow);
  // Listens before the browser paints: whoever follows a link at first sight would be left where they were.
  useLayoutEffect(() => {
    const turn = (): void => setRoute(routeNow());
    addEventListener('hashchange', turn);
    return () => removeEventListener('hashchange', turn);
  }, []);
  return route;
}

export const keyHref = (key: string): string => `#/key/${encodeURIComponent(key)}`;
export const shardHref = (shard: number): string => `#/keys?shard=${shard}`;
export const processHref = (name: string): string => `#/processes?name=${encodeURIComponent(name)}`;
export const letterHref = (id: string): string => `#/letter/${encodeURIComponent(id)}`;
