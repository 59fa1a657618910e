import type { Snapshot } from '../../src/wire.js';
import { useShown } from '../live/context.js';
import { processHref } from '../live/route.js';
import { count, rate, shortName } from './format.js';
import { type Column, Table } from './table.js';

interface Row {
  readonly name: string;
  readonly self: boolean;
  readonly paused: boolean;
  readonly shards: number;
  readonly answered: number;
  readonly rate: number;
  readonly backlog: number;
  readonly inFlight: number;
  readonly parked: number;
  readonly keys: number;
}

const COLUMNS: readonly Column<Row>[] = [
  {
    head: 'Process',
    cell: ({ name, self, paused }) => (
      <>
        <a class="process" href={processHref(name)} title={name}>
          {shortName(name)}
        </a>
        {self && ' (this one)'} {paused && <span class="badge warn">Intake paused</span>}
      </>
    ),
  },
  { head: 'Shards', numeric: true, cell: ({ shards }) => count(shards) },
  { head: 'Rate', numeric: true, cell: (row) => rate(row.rate) },
  { head: 'Backlog', numeric: true, cell: ({ backlog }) => count(backlog) },
  { head: 'Under way', numeric: true, wide: true, cell: ({ inFlight }) => count(inFlight) },
  { head: 'Parked', numeric: true, wide: true, cell: ({ parked }) => count(parked) },
  { head: 'Keys', numeric: true, wide: true, cell: ({ keys }) => count(keys) },
  {
    head: 'Answers',
    wide: true,
    cell: ({ shards, answered }) => (answered < shards ? <span class="badge bad">Does not answer</span> : 'Yes'),
  },
];

/** @param most rows; all without it */
export function ProcessTable({ most }: { most?: number }) {
  const { snapshot } = useShown();
  const rows = rowsOf(snapshot).slice(0, most);
  return (
    <Table caption="Processes and what they own" columns={COLUMNS} rows={rows} id={({ name }) => name} empty="None." />
  );
}

function rowsOf({ processes, shards }: Snapshot): Row[] {
  return processes.map(({ name, self, intake }, index) => {
    const own = shards.filter(({ process }) => process === index);
    const sum = (of: 'rate' | 'inFlight' | 'parked' | 'keys'): number =>
      own.reduce((total, shard) => total + shard[of], 0);
    return {
      name,
      self,
      paused: intake === 'paused',
      shards: own.length,
      answered: own.filter(({ answered }) => answered).length,
      rate: sum('rate'),
      backlog: own.reduce((total, { backlog }) => total + (backlog ?? 0), 0),
      inFlight: sum('inFlight'),
      parked: sum('parked'),
      keys: sum('keys'),
    };
  });
}
