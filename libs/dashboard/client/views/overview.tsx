import { useMemo } from 'preact/hooks';
import type { Point, Snapshot } from '../../src/wire.js';
import { useShown } from '../live/context.js';
import { keyHref } from '../live/route.js';
import { Chart } from '../parts/chart.js';
import { count, duration, isTrouble, plural, rate, TROUBLES } from '../parts/format.js';
import { KeyTable } from '../parts/key-table.js';
import { LetterCounts } from '../parts/letter-counts.js';
import { ProcessTable } from '../parts/process-table.js';

const MOST_SHOWN = 8;

export function Overview() {
  const { snapshot, points } = useShown();
  return (
    <>
      <Verdict snapshot={snapshot} />
      <Stuck snapshot={snapshot} />
      <Figures snapshot={snapshot} />
      <Charts points={points} />
      <div class="columns">
        <LetterCounts />
        <Busiest snapshot={snapshot} />
      </div>
      <section aria-labelledby="processes">
        <h2 id="processes">
          <a href="#/processes">Processes</a>
        </h2>
        <ProcessTable most={MOST_SHOWN} />
        {snapshot.processes.length > MOST_SHOWN && (
          <p>
            <a href="#/processes">All {plural(snapshot.processes.length, 'process', 'processes')}</a>
          </p>
        )}
      </section>
    </>
  );
}

/** Whether anything is wrong, in one sentence. */
function Verdict({ snapshot: { troubles, problems } }: { snapshot: Snapshot }) {
  const kinds = Object.entries(troubles).filter(([name]) => isTrouble(name));
  const total = kinds.reduce((sum, [, number]) => sum + number, 0);
  const list = kinds.map(
    ([name, number]) => `${count(number)} ${TROUBLES[name as keyof typeof TROUBLES].label.toLowerCase()}`,
  );
  const fine = total === 0 && problems.length === 0;
  return (
    <>
      <h1 class={fine ? 'verdict fine' : 'verdict bad'}>
        {total === 0 ? 'Every key moves' : `${plural(total, 'key')} cannot go on: ${list.join(', ')}`}
      </h1>
      {/* Without figures, which would be read again at each change. */}
      <p class="sr" role="status">
        {fine ? 'Every key moves.' : 'Something needs attention.'}
      </p>
      {problems.map((problem) => (
        <p key={problem} class="problem">
          {problem}
        </p>
      ))}
    </>
  );
}

function Figures({ snapshot }: { snapshot: Snapshot }) {
  const { shards, processes, median, slow } = snapshot;
  const owned = shards.filter(({ process }) => process >= 0).length;
  const figures: readonly [string, string, string][] = [
    ['Throughput', rate(snapshot.rate), 'finished in the last second'],
    [
      'Time to handle',
      duration(median),
      median === null ? 'nothing was finished' : `half of them; 99 % within ${duration(slow)}`,
    ],
    ['Backlog', count(snapshot.backlog), 'in the broker, not delivered'],
    ['Under way', count(snapshot.inFlight), 'delivered, not finished'],
    ['Parked', count(snapshot.parked), 'set aside in side queues'],
    ['Shards', `${owned} of ${shards.length}`, `owned by ${plural(processes.length, 'process', 'processes')}`],
  ];
  return (
    <dl class="figures">
      {figures.map(([name, value, says]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="figure">{value}</dd>
          <dd class="says">{says}</dd>
        </div>
      ))}
    </dl>
  );
}

function Stuck({ snapshot: { stuck } }: { snapshot: Snapshot }) {
  return (
    <section aria-labelledby="stuck">
      <h2 id="stuck">
        <a href="#/keys">Stuck keys</a>
      </h2>
      <KeyTable caption="Stuck keys, the longest first" keys={stuck.slice(0, MOST_SHOWN)} empty="None." />
      {stuck.length > MOST_SHOWN && (
        <p>
          <a href="#/keys">All stuck keys</a>
        </p>
      )}
    </section>
  );
}

function Charts({ points }: { points: readonly Point[] }) {
  const at = useMemo(() => points.map((point) => point.at / 1_000), [points]);
  const rates = useMemo(() => [at, points.map((point) => point.rate)] as [number[], number[]], [at]);
  const times = useMemo(
    () =>
      [at, points.map(({ median }) => median), points.map(({ slow }) => slow)] as [number[], ...(number | null)[][]],
    [at],
  );
  const last = points.at(-1);
  if (last === undefined) return null;
  return (
    <div class="columns">
      <section aria-labelledby="throughput">
        <h2 id="throughput">Throughput</h2>
        <Chart
          label={`Throughput over the last minutes; now ${rate(last.rate)}`}
          series={[{ label: 'finished', colour: '--accent' }]}
          data={rates}
          text={rate}
        />
      </section>
      <section aria-labelledby="times">
        <h2 id="times">
          Time to handle <span class="legend">median</span> <span class="legend slow">99 %</span>
        </h2>
        <Chart
          label={`Time to handle over the last minutes; now ${duration(last.median)} for half of the messages, 99 % within ${duration(last.slow)}`}
          series={[
            { label: 'median', colour: '--accent' },
            { label: '99 %', colour: '--warn' },
          ]}
          data={times}
          text={duration}
        />
      </section>
    </div>
  );
}

function Busiest({ snapshot: { busiest } }: { snapshot: Snapshot }) {
  return (
    <section aria-labelledby="busiest">
      <h2 id="busiest">
        <a href="#/keys?list=hottest">Hottest keys</a>
      </h2>
      {busiest.length === 0 ? (
        <p class="empty">Nothing was finished in the last second.</p>
      ) : (
        <ol class="bars">
          {busiest.slice(0, MOST_SHOWN).map(({ key, text, rate: speed }) => (
            <li key={key}>
              <a class="key" href={keyHref(key)}>
                {text}
              </a>
              <meter min={0} max={busiest[0]!.rate} value={speed} aria-label={`Messages a second of ${text}`} />
              <span class="num">{rate(speed)}</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
