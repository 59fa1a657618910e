import { useShown } from '../live/context.js';
import { shardHref } from '../live/route.js';
import { Actions, fitsPaused } from '../parts/actions.js';
import { plural } from '../parts/format.js';
import { ProcessTable } from '../parts/process-table.js';

export function Processes({ query }: { query: URLSearchParams }) {
  const { snapshot } = useShown();
  const name = query.get('name');
  const process = snapshot.processes.find((one) => one.name === name);
  return (
    <>
      <h1>Processes</h1>
      {name !== null && process === undefined && <p class="problem">The process {name} does not take part any more.</p>}
      {process !== undefined && (
        <section aria-labelledby="process">
          <h2 id="process" class="key">
            {process.name}
          </h2>
          <p>It owns {plural(process.shards.length, 'shard')}:</p>
          <p class="links">
            {process.shards.map((shard) => (
              <a key={shard} href={shardHref(shard)}>
                {shard}
              </a>
            ))}
          </p>
          <Actions
            target="process"
            about={process.name}
            parameters={{ process: process.name }}
            fits={fitsPaused(process.intake === 'paused')}
          />
        </section>
      )}
      <ProcessTable />
    </>
  );
}
