import { useState } from 'preact/hooks';
import type { WatchedKey, WireKey } from '../../src/wire.js';
import { useShown } from '../live/context.js';
import { processHref, shardHref } from '../live/route.js';
import { useStream } from '../live/use-stream.js';
import { Actions, fitsKey, fitsPaused } from '../parts/actions.js';
import { TroubleBadge } from '../parts/badge.js';
import { clock, count, duration, HELD, plural, TROUBLES } from '../parts/format.js';
import { type Column, Table } from '../parts/table.js';
import { StoredState } from './stored-state.js';

export function KeyPage({ address }: { address: string }) {
  const { api } = useShown();
  const [watched, setWatched] = useState<WatchedKey>();
  useStream(api, { key: address }, (_event, data) => setWatched(data as WatchedKey));
  if (watched === undefined) return <p class="empty">Looking …</p>;
  const { text, key, stack, events, problem } = watched;
  return (
    <>
      <p class="note">
        <a href="#/keys">Keys</a> › key
      </p>
      <h1>
        <span class="key">{text}</span> {key !== null && <TroubleBadge trouble={key.trouble} />}
      </h1>
      {problem !== null && <p class="problem">{problem}</p>}
      {key === null && problem === null && (
        <p>
          Nothing of it is in memory or parked. It may have messages in the broker, a stored state, and dead letters.
        </p>
      )}
      {key !== null && <Standing row={key} />}
      {problem === null && (
        <Actions
          target="key"
          about={text}
          fits={fitsKey(key)}
          parameters={{ key: address, messageId: key?.head?.messageId }}
        />
      )}
      {key?.head?.type !== undefined && (
        <Actions
          target="type"
          about={`type ${key.head.type}`}
          parameters={{ type: key.head.type }}
          fits={fitsPaused(key.parkReason === 'type_paused')}
        />
      )}
      {key?.error !== undefined && <LastError error={key.error} stack={stack} />}
      <Events events={events} />
      <StoredState address={address} about={text} />
      <p>
        <a href={`#/dead-letters?key=${encodeURIComponent(address)}`}>Dead letters of this key</a>
      </p>
    </>
  );
}

/** How it stands, first in a sentence. */
function Standing({ row }: { row: WireKey }) {
  const { head, callback } = row;
  const facts: readonly [string, string | undefined][] = [
    ['State', row.state],
    ['First message', head && (head.messageId ?? 'without an id')],
    ['Type', head?.type],
    ['It waits for', row.waiting === undefined ? undefined : duration(row.waiting)],
    ['Attempt', row.attempt === 0 ? undefined : count(row.attempt)],
    ['In memory', plural(row.queued, 'message')],
    ['Parked', plural(row.parked, 'message')],
    ['Parked because', row.parkReason],
    ['Runs', callback && `${callback.name}, for ${duration(callback.age)}`],
  ];
  return (
    <>
      {row.trouble !== undefined && <p>{TROUBLES[row.trouble].means}</p>}
      {row.parkedState === 'held' && row.parkReason !== undefined && <p>{HELD[row.parkReason]}</p>}
      <dl class="facts">
        {facts.map(
          ([name, value]) =>
            value !== undefined && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
        <div>
          <dt>Shard</dt>
          <dd>
            <a href={shardHref(row.shard)}>{row.shard}</a>
          </dd>
        </div>
        {row.process !== undefined && (
          <div>
            <dt>Process</dt>
            <dd>
              <a href={processHref(row.process)}>{row.process}</a>
            </dd>
          </div>
        )}
      </dl>
    </>
  );
}

function LastError({ error, stack }: { error: string; stack: string | null }) {
  return (
    <section aria-labelledby="error">
      <h2 id="error">Last error</h2>
      <p class="error-text whole">{error}</p>
      {stack !== null && (
        <pre tabIndex={0} aria-label="Stack of the last error">
          {stack}
        </pre>
      )}
    </section>
  );
}

type Event = WatchedKey['events'][number];

const COLUMNS: readonly Column<Event>[] = [
  { head: 'Time', cell: ({ at }) => clock(at) },
  { head: 'Event', cell: ({ type }) => type },
  { head: 'Attempt', numeric: true, cell: ({ attempt }) => attempt ?? '–' },
  { head: 'Message', wide: true, cell: ({ messageId }) => <span class="key">{messageId ?? '–'}</span> },
  { head: 'Says', cell: ({ text }) => <span class="error-text">{text ?? ''}</span> },
];

function Events({ events }: { events: readonly Event[] }) {
  return (
    <section class="events" aria-labelledby="events">
      <h2 id="events">Events since somebody watches</h2>
      <Table
        caption="Recent events, the newest first"
        columns={COLUMNS}
        rows={events.toReversed()}
        id={({ number }) => number}
        empty="None yet."
      />
    </section>
  );
}
