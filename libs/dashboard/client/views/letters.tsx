import type { WireLetter, WireLetters } from '../../src/wire.js';
import { keyHref, letterHref } from '../live/route.js';
import { useLook } from '../live/use-look.js';
import { Actions } from '../parts/actions.js';
import { fieldIn } from '../parts/field.js';
import { clock, count, moment, plural } from '../parts/format.js';
import { type Column, Table } from '../parts/table.js';

const COLUMNS: readonly Column<WireLetter>[] = [
  {
    head: 'Message',
    cell: ({ id, messageId }) => (
      <a class="key" href={letterHref(id)}>
        {messageId ?? 'without an id'}
      </a>
    ),
  },
  {
    head: 'Key',
    cell: ({ key, text }) =>
      key === null ? (
        text
      ) : (
        <a class="key" href={keyHref(key)}>
          {text}
        </a>
      ),
  },
  { head: 'Reason', cell: ({ reason }) => reason ?? 'unknown' },
  { head: 'Error', wide: true, cell: ({ error }) => <span class="error-text">{error ?? '–'}</span> },
  { head: 'Attempts', numeric: true, wide: true, cell: ({ attempts }) => attempts ?? '–' },
  { head: 'Given up', wide: true, cell: ({ failedAt }) => (failedAt === null ? '–' : moment(failedAt)) },
];

const MOST = '1000';

export function Letters({ query }: { query: URLSearchParams }) {
  const filter = Object.fromEntries(
    ['key', 'reason', 'type'].flatMap((name) => (query.get(name) ? [[name, query.get(name)!]] : [])),
  );
  const limit = query.get('limit') ?? '100';
  const { value, problem, busy, again } = useLook<WireLetters>('letters', { ...filter, limit });
  const filtered = Object.keys(filter).length > 0;
  return (
    <>
      <h1>Dead letters</h1>
      <Filter filter={filter} />
      <p class="note">
        {value !== undefined && `${plural(value.total, 'dead letter')} in all, as of ${clock(value.at)}. `}
        <button type="button" class="small" onClick={again} disabled={busy}>
          {busy ? 'Reading …' : 'Read again'}
        </button>
      </p>
      {problem !== undefined && <p class="problem">{problem}</p>}
      {value !== undefined && value.letters.length > 0 && (
        <Actions
          target="letters"
          about={
            filtered
              ? `dead letters with ${Object.keys(filter)
                  .map((name) => (name === 'key' ? 'this key' : `${name} ${filter[name]}`))
                  .join(' and ')}`
              : `all ${plural(value.total, 'dead letter')}`
          }
          parameters={filter}
          done={again}
        />
      )}
      {value !== undefined && (
        <Table
          caption="Dead letters, the oldest first"
          columns={COLUMNS}
          rows={value.letters}
          id={({ id }) => id}
          empty={filtered ? 'None that the filter lets through.' : 'None.'}
        />
      )}
      {value?.more === true && (
        <p class="note">
          The first {count(value.letters.length)} are shown.{' '}
          {limit !== MOST && (
            <a href={`#/dead-letters?${new URLSearchParams({ ...filter, limit: MOST })}`}>Show 1,000</a>
          )}
        </p>
      )}
    </>
  );
}

function Filter({ filter }: { filter: Record<string, string> }) {
  const apply = (event: SubmitEvent): void => {
    event.preventDefault();
    const typed = ['reason', 'type'].map((name) => [name, fieldIn(event, name)]);
    const entries = typed.filter(([, text]) => text !== '');
    location.hash = `#/dead-letters?${new URLSearchParams([...entries, ...(filter['key'] === undefined ? [] : [['key', filter['key']]])])}`;
  };
  return (
    <form class="filter" onSubmit={apply} key={JSON.stringify(filter)}>
      <label>
        Reason{' '}
        <input name="reason" type="text" defaultValue={filter['reason'] ?? ''} list="reasons" autoComplete="off" />
      </label>
      <datalist id="reasons">
        {REASONS.map((reason) => (
          <option key={reason} value={reason} />
        ))}
      </datalist>
      <label>
        Type <input name="type" type="text" defaultValue={filter['type'] ?? ''} autoComplete="off" />
      </label>
      <button type="submit">Filter</button>
      {Object.keys(filter).length > 0 && <a href="#/dead-letters">Show all</a>}
    </form>
  );
}

const REASONS = ['attempts_exhausted', 'discarded', 'dropped', 'payload_invalid', 'unknown_message_type'];
