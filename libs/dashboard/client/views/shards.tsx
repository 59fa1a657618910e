import { useState } from 'preact/hooks';
import type { WireShard } from '../../src/wire.js';
import { useShown } from '../live/context.js';
import { shardHref } from '../live/route.js';
import { HeatMap, MEASURES, type MeasureName } from '../parts/heat-map.js';
import { count, duration, rate, shortName } from '../parts/format.js';
import { type Column, Table } from '../parts/table.js';

export function Shards() {
  const { snapshot } = useShown();
  const [measure, setMeasure] = useState<MeasureName>('backlog');
  const { shards, processes } = snapshot;
  const columns: readonly Column<WireShard>[] = [
    { head: 'Shard', cell: ({ shard }) => <a href={shardHref(shard)}>{shard}</a> },
    { head: 'Backlog', numeric: true, cell: ({ backlog }) => (backlog === undefined ? '–' : count(backlog)) },
    { head: 'Oldest', numeric: true, cell: ({ oldest }) => duration(oldest) },
    { head: 'Rate', numeric: true, wide: true, cell: (shard) => rate(shard.rate) },
    { head: 'Under way', numeric: true, wide: true, cell: ({ inFlight }) => count(inFlight) },
    { head: 'Parked', numeric: true, wide: true, cell: ({ parked }) => count(parked) },
    { head: 'Keys', numeric: true, wide: true, cell: ({ keys }) => count(keys) },
    { head: 'Epoch', numeric: true, wide: true, cell: ({ epoch }) => epoch },
    {
      head: 'Owner',
      cell: ({ process, answered }) => {
        if (process < 0) return <span class="badge bad">Nobody</span>;
        return answered ? (
          <span class="process">{shortName(processes[process]!.name)}</span>
        ) : (
          <span class="badge bad">Does not answer</span>
        );
      },
    },
    {
      head: 'Side queue',
      wide: true,
      cell: ({ stalled }) => (stalled ? <span class="badge bad">Full</span> : 'Has room'),
    },
  ];
  return (
    <>
      <h1>Shards</h1>
      <fieldset class="choice">
        <legend>Coloured by</legend>
        {Object.entries(MEASURES).map(([name, { label }]) => (
          <label key={name}>
            <input
              type="radio"
              name="measure"
              checked={measure === name}
              onChange={() => setMeasure(name as MeasureName)}
            />{' '}
            {label}
          </label>
        ))}
      </fieldset>
      <HeatMap shards={shards} processes={processes} measure={measure} />
      <Table
        caption="All shards"
        columns={columns}
        rows={shards}
        id={({ shard }) => shard}
        empty="No shard was reached."
      />
    </>
  );
}
