import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { Hello, Point, Snapshot } from '../src/wire.js';
import type { Api } from './live/api.js';
import { type Notice, ShownContext } from './live/context.js';
import { type Route, useRoute } from './live/route.js';
import { type Connection, useStream } from './live/use-stream.js';
import { clock } from './parts/format.js';
import { Notices } from './parts/notices.js';
import { KeyPage } from './views/key.js';
import { Keys } from './views/keys.js';
import { Letter } from './views/letter.js';
import { Letters } from './views/letters.js';
import { Overview } from './views/overview.js';
import { Processes } from './views/processes.js';
import { Shards } from './views/shards.js';

const VIEWS = [
  ['', 'Overview'],
  ['keys', 'Keys'],
  ['shards', 'Shards'],
  ['processes', 'Processes'],
  ['dead-letters', 'Dead letters'],
] as const;

/** Under which of them a view is. */
const ABOVE: Readonly<Record<string, string>> = { key: 'keys', letter: 'dead-letters' };
/** Points that the charts show. */
const MOST_POINTS = 150;

const CONNECTIONS: Readonly<Record<Connection, string>> = {
  connecting: 'Connecting …',
  live: 'Live',
  hidden: 'Paused',
  away: 'No connection',
};

export function Dashboard({ api, hello }: { api: Api; hello: Hello }) {
  const route = useRoute();
  const [snapshot, setSnapshot] = useState<Snapshot>();
  const [points, setPoints] = useState<readonly Point[]>([]);
  const [notices, setNotices] = useState<readonly Notice[]>([]);
  const connection = useStream(api, {}, (event, data) => {
    if (event === 'history') setPoints(data as Point[]);
    if (event !== 'snapshot') return;
    const seen = data as Snapshot;
    setSnapshot(seen);
    setPoints((all) => (all.at(-1)?.at === seen.at ? all : [...all, seen].slice(-MOST_POINTS)));
  });
  const say = useCallback((notice: Notice) => {
    setNotices((all) => [...all.filter(({ id }) => id !== notice.id), notice]);
  }, []);
  return (
    <>
      <a class="skip" href="#content" onClick={skip}>
        Skip to the content
      </a>
      <header>
        <p class="brand">Mississippi{hello.instance !== 'default' && <span> · {hello.instance}</span>}</p>
        <nav aria-label="Views">
          {VIEWS.map(([view, label]) => (
            <a
              key={view}
              href={`#/${view}`}
              aria-current={view === (ABOVE[route.view] ?? route.view) ? 'page' : undefined}
            >
              {label}
            </a>
          ))}
        </nav>
        <p class={`connection ${connection}`}>
          <span role="status">{CONNECTIONS[connection]}</span>
          {snapshot !== undefined && <time> {clock(snapshot.at)}</time>}
        </p>
      </header>
      <Notices notices={notices} close={(ids) => setNotices((all) => all.filter(({ id }) => !ids.includes(id)))} />
      <Content route={route}>
        {snapshot === undefined ? (
          <p class="empty">Looking at all processes …</p>
        ) : (
          <ShownContext.Provider value={{ api, hello, snapshot, points, say }}>
            <View route={route} />
          </ShownContext.Provider>
        )}
      </Content>
    </>
  );
}

/** The hash is the route, so that the browser would go there. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('content')!.focus();
}

/** Whoever goes to another view hears and sees it from its beginning. */
function Content({ route: { view, id }, children }: { route: Route; children: preact.ComponentChildren }) {
  const place = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) {
      place.current!.focus();
      window.scrollTo(0, 0);
    }
    first.current = false;
  }, [view, id]);
  useEffect(() => {
    const name = VIEWS.find(([one]) => one === (ABOVE[view] ?? view))?.[1] ?? 'Not found';
    document.title = `${name} · Mississippi`;
  }, [view]);
  return (
    <main id="content" tabIndex={-1} ref={place}>
      {children}
    </main>
  );
}

function View({ route: { view, id, query } }: { route: Route }) {
  switch (view) {
    case '':
      return <Overview />;
    case 'keys':
      return <Keys query={query} />;
    case 'key':
      return <KeyPage key={id} address={id} />;
    case 'shards':
      return <Shards />;
    case 'processes':
      return <Processes query={query} />;
    case 'dead-letters':
      return <Letters query={query} />;
    case 'letter':
      return <Letter key={id} id={id} />;
    default:
      return (
        <>
          <h1>Not found</h1>
          <p>
            There is no such view. <a href="#/">Overview</a>
          </p>
        </>
      );
  }
}
