import { useState } from 'preact/hooks';
import type { WireBusyKey, WireKeys } from '../../src/wire.js';
import { useShown } from '../live/context.js';
import { keyHref, shardHref } from '../live/route.js';
import { useLook } from '../live/use-look.js';
import { Actions, fitsPaused } from '../parts/actions.js';
import { fieldIn } from '../parts/field.js';
import { count, rate } from '../parts/format.js';
import { KeyTable } from '../parts/key-table.js';
import { type Column, Table } from '../parts/table.js';

const LISTS = [
  ['stuck', 'Stuck'],
  ['slowest', 'Slowest'],
  ['hottest', 'Hottest'],
] as const;

export function Keys({ query }: { query: URLSearchParams }) {
  const [shard, list] = [query.get('shard'), query.get('list') ?? (query.has('shard') ? 'slowest' : 'stuck')];
  return (
    <>
      <h1>{shard === null ? 'Keys' : `Keys of shard ${shard}`}</h1>
      <FindKey />
      <nav class="tabs" aria-label="Lists of keys">
        {LISTS.map(([name, label]) => (
          <a
            key={name}
            href={`#/keys?list=${name}${shard === null ? '' : `&shard=${shard}`}`}
            aria-current={name === list ? 'page' : undefined}
          >
            {label}
          </a>
        ))}
        {shard !== null && <a href={`#/keys?list=${list}`}>All shards</a>}
      </nav>
      <PausedTypes />
      {list === 'hottest' ? <Hottest shard={shard} /> : <Listed shard={shard} troubled={list === 'stuck'} />}
    </>
  );
}

function FindKey() {
  const { api } = useShown();
  const [problem, setProblem] = useState('');
  const find = (event: SubmitEvent): void => {
    event.preventDefault();
    const text = fieldIn(event, 'text');
    if (text === '') return;
    api.get<{ key: string }>('find', { text }).then(
      ({ key }) => (location.hash = keyHref(key)),
      (error: Error) => setProblem(error.message),
    );
  };
  return (
    <form class="filter" onSubmit={find}>
      <label>
        Open a key <input name="text" type="search" autoComplete="off" placeholder="as the app spells it" />
      </label>
      <button type="submit">Open</button>
      {problem !== '' && <span class="problem">{problem}</span>}
    </form>
  );
}

/** Where a transport cannot pause types, or nobody answers, nothing of it is shown. */
function PausedTypes() {
  const { value, again } = useLook<{ paused: readonly string[] }>('types', {}, EACH);
  if (value === undefined || value.paused.length === 0) return null;
  return (
    <section aria-labelledby="types">
      <h2 id="types">Paused types of messages</h2>
      {value.paused.map((type) => (
        <div key={type}>
          <p class="key">{type}</p>
          <Actions target="type" about={`type ${type}`} parameters={{ type }} fits={fitsPaused(true)} done={again} />
        </div>
      ))}
    </section>
  );
}

/** Looks by itself now and then: the owners visit every live key for it. */
const EACH = 10_000;

function Listed({ shard, troubled }: { shard: string | null; troubled: boolean }) {
  const parameters = { limit: '200', troubled: String(troubled), ...(shard !== null && { shard }) };
  const { value, problem, busy, again } = useLook<WireKeys>('keys', parameters, EACH);
  return (
    <>
      <p class="note">
        {troubled
          ? 'Keys that something keeps from going on, the longest first.'
          : 'Keys in memory, those in trouble first, then the ones whose first message has waited the longest.'}{' '}
        <button type="button" class="small" onClick={again} disabled={busy}>
          {busy ? 'Looking …' : 'Look again'}
        </button>
      </p>
      {problem !== undefined && <p class="problem">{problem}</p>}
      {value?.unanswered.map(({ shard: silent, reason }) => (
        <p key={silent} class="problem">
          Shard {silent}: {reason}
        </p>
      ))}
      {value !== undefined && (
        <KeyTable
          caption={troubled ? 'Stuck keys' : 'Slowest keys'}
          keys={value.keys}
          empty={troubled ? 'None: every key moves.' : 'No key is in memory.'}
        />
      )}
      {value !== undefined && value.more > 0 && <p class="note">{count(value.more)} more were left out.</p>}
    </>
  );
}

const BUSY: readonly Column<WireBusyKey>[] = [
  {
    head: 'Key',
    cell: ({ key, text }) => (
      <a class="key" href={keyHref(key)}>
        {text}
      </a>
    ),
  },
  { head: 'Finished', numeric: true, cell: (busy) => rate(busy.rate) },
  { head: 'Shard', numeric: true, cell: ({ shard }) => <a href={shardHref(shard)}>{shard}</a> },
];

function Hottest({ shard }: { shard: string | null }) {
  const { snapshot } = useShown();
  const rows = snapshot.busiest.filter((busy) => shard === null || busy.shard === Number(shard));
  return (
    <>
      <p class="note">Keys of which most messages were finished in the last second, at most 5 of each shard.</p>
      <Table caption="Hottest keys" columns={BUSY} rows={rows} id={({ key }) => key} empty="Nothing was finished." />
    </>
  );
}
