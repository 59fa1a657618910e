import type { WireKey } from '../../src/wire.js';
import { keyHref, shardHref } from '../live/route.js';
import { TroubleBadge } from './badge.js';
import { count, duration } from './format.js';
import { type Column, Table } from './table.js';

const COLUMNS: readonly Column<WireKey>[] = [
  {
    head: 'Key',
    cell: ({ key, text }) => (
      <a class="key" href={keyHref(key)}>
        {text}
      </a>
    ),
  },
  { head: 'Trouble', cell: ({ trouble }) => <TroubleBadge trouble={trouble} /> },
  { head: 'Waits for', numeric: true, cell: ({ waiting, callback }) => duration(waiting ?? callback?.age) },
  { head: 'Messages', numeric: true, wide: true, cell: ({ queued, parked }) => count(queued + parked) },
  { head: 'Attempt', numeric: true, wide: true, cell: ({ attempt }) => (attempt === 0 ? '–' : count(attempt)) },
  { head: 'Last error', wide: true, cell: ({ error }) => <span class="error-text">{error ?? '–'}</span> },
  { head: 'Shard', numeric: true, wide: true, cell: ({ shard }) => <a href={shardHref(shard)}>{shard}</a> },
];

export function KeyTable({ caption, keys, empty }: { caption: string; keys: readonly WireKey[]; empty: string }) {
  return <Table caption={caption} columns={COLUMNS} rows={keys} id={({ key }) => key} empty={empty} />;
}
