import { useRef, useState } from 'preact/hooks';
import type { ProcessInfo } from '@mississippi/core';
import type { WireShard } from '../../src/wire.js';
import { shardHref } from '../live/route.js';
import { count, duration, rate, shortName } from './format.js';

interface Measure {
  readonly label: string;
  /** `undefined` colours by owner. */
  readonly of: ((shard: WireShard) => number) | undefined;
  readonly text: (value: number) => string;
}

export type MeasureName = 'backlog' | 'oldest' | 'rate' | 'owner';

export const MEASURES: Readonly<Record<MeasureName, Measure>> = {
  backlog: { label: 'Backlog', of: ({ backlog, inFlight }) => (backlog ?? 0) + inFlight, text: count },
  oldest: { label: 'Age of the oldest message', of: ({ oldest }) => oldest ?? 0, text: duration },
  rate: { label: 'Rate', of: (shard) => shard.rate, text: rate },
  owner: { label: 'Owner', of: undefined, text: String },
};

const STEPS = 5;
/** Neighbours in the list get colours far apart. Degrees. */
const GOLDEN_ANGLE = 137.5;

interface Props {
  readonly shards: readonly WireShard[];
  readonly processes: readonly ProcessInfo[];
  readonly measure: MeasureName;
}

/**
 * One cell a shard. Among its cells one moves by the arrow keys; the tab key enters and leaves it at one of them. Every cell says in
 * words what its colour says.
 */
export function HeatMap({ shards, processes, measure }: Props) {
  const [current, setCurrent] = useState(0);
  const place = useRef<HTMLDivElement>(null);
  const { label, of, text } = MEASURES[measure];
  const most = of === undefined ? 0 : Math.max(0, ...shards.map(of));
  const move = (event: KeyboardEvent): void => {
    const next = target(event.key, current, shards.length, columnsOf(place.current!));
    if (next === undefined) return;
    event.preventDefault();
    setCurrent(next);
    (place.current!.children[next] as HTMLElement).focus();
  };
  return (
    <>
      <div
        class="heat"
        ref={place}
        role="group"
        aria-label={`Shards, coloured by ${label.toLowerCase()}`}
        onKeyDown={move}
      >
        {shards.map((shard, index) => (
          <a
            key={shard.shard}
            href={shardHref(shard.shard)}
            tabIndex={index === Math.min(current, shards.length - 1) ? 0 : -1}
            onFocus={() => setCurrent(index)}
            class={classOf(shard, of === undefined ? undefined : stepOf(of(shard), most))}
            style={{ '--hue': String((shard.process * GOLDEN_ANGLE) % 360) }}
            aria-label={describe(shard, processes)}
            title={describe(shard, processes)}
          >
            {shard.shard}
          </a>
        ))}
      </div>
      {of !== undefined && <Scale most={most} text={text} />}
    </>
  );
}

function Scale({ most, text }: { most: number; text: Measure['text'] }) {
  return (
    <p class="note scale" aria-hidden="true">
      <span>0</span>
      {Array.from({ length: STEPS + 1 }, (_, step) => (
        <i key={step} class={`step-${step}`} />
      ))}
      <span>{text(most)}</span>
    </p>
  );
}

/** Logarithmic: one shard with a million must not make all others look alike. */
function stepOf(value: number, most: number): number {
  return value <= 0 || most <= 0 ? 0 : Math.max(1, Math.round((Math.log1p(value) / Math.log1p(most)) * STEPS));
}

function classOf({ process, answered }: WireShard, step: number | undefined): string {
  if (process < 0 || !answered) return 'cell nobody';
  return step === undefined ? 'cell owner' : `cell step-${step}`;
}

function describe(shard: WireShard, processes: readonly ProcessInfo[]): string {
  const { process, backlog = 0, inFlight, oldest, parked } = shard;
  const owner = process < 0 ? 'owned by nobody' : `owned by ${shortName(processes[process]!.name)}`;
  const age = oldest === undefined ? '' : `, the oldest for ${duration(oldest)}`;
  return `Shard ${shard.shard}: ${count(backlog)} in the backlog, ${count(inFlight)} under way${age}, ${rate(shard.rate)}, ${count(parked)} parked, ${owner}`;
}

function columnsOf(element: HTMLElement): number {
  return getComputedStyle(element).gridTemplateColumns.split(' ').length;
}

function target(key: string, from: number, length: number, columns: number): number | undefined {
  const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
  if (key === 'Home') return 0;
  if (key === 'End') return length - 1;
  const step = steps[key];
  return step === undefined ? undefined : Math.min(length - 1, Math.max(0, from + step));
}
