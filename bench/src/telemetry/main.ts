/**
 * What telemetry costs: `npm run bench:telemetry`. Two processes: one without an SDK, in which the telemetry finds nothing to record
 * with, and one with a real one, whose context manager makes every promise of the process more expensive, those of the side
 * without telemetry too.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { openTelemetry } from '@mississippi/opentelemetry';
import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  AlwaysOffSampler,
  BatchSpanProcessor,
  NodeTracerProvider,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-node';
import { number, table, tidy } from '../harness/tables.js';
import { inTurns, type SideResult, type Turns } from './in-turns.js';
import { openSide, type Path } from './sides.js';

const TURNS: Turns = { rounds: 31, messages: 10_000, keys: 1_000, wave: 1_000 };
const PATHS: readonly Path[] = ['delivered', 'published'];

type Sides = Readonly<Record<string, ReturnType<typeof openTelemetry> | undefined>>;

/** Takes spans as one that sends them does, and sends them nowhere. */
const nowhere: SpanExporter = {
  export: (_spans, done) => done({ code: 0 }),
  shutdown: () => Promise.resolve(),
};

function withoutSdk(): Sides {
  return { none: undefined, 'none again': undefined, 'no SDK': openTelemetry() };
}

function withSdk(): Sides {
  const spanProcessors = [new BatchSpanProcessor(nowhere, { maxQueueSize: 100_000, scheduledDelayMillis: 100 })];
  new NodeTracerProvider({ spanProcessors }).register();
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  const sampledOut = new NodeTracerProvider({ sampler: new AlwaysOffSampler() });
  return {
    none: undefined,
    'none again': undefined,
    'metrics alone': openTelemetry({ traces: false }),
    'metrics, spans not sampled': openTelemetry({ tracerProvider: sampledOut }),
    'metrics and spans': openTelemetry(),
  };
}

async function measure(sides: Sides, path: Path): Promise<SideResult[]> {
  const open = await Promise.all(
    Object.entries(sides).map(([name, telemetry]) => openSide(name, path, telemetry, TURNS.wave)),
  );
  const results = await inTurns(open, TURNS);
  await Promise.all(open.map(({ dispatcher }) => dispatcher.close()));
  return results;
}

function rowsOf(results: readonly SideResult[]): string[][] {
  return results.map(({ name, cpu, ratio }) => [
    name,
    number(cpu.median, 2),
    number(ratio.median, 3),
    `${number(ratio.low, 3)} … ${number(ratio.high, 3)}`,
  ]);
}

async function child(kind: string): Promise<void> {
  await once(fork(fileURLToPath(import.meta.url), [kind], { execArgv: ['--expose-gc'] }), 'exit');
}

const kind = process.argv[2];
if (kind === undefined) {
  for (const one of ['without an SDK', 'with an SDK']) await child(one);
} else {
  const sides = kind === 'with an SDK' ? withSdk() : withoutSdk();
  for (const path of PATHS) {
    const head = [`${path}, ${kind}`, 'CPU µs/message', '× none', 'middle half'];
    process.stdout.write(`${await tidy(table(head, rowsOf(await measure(sides, path))))}\n`);
  }
  process.exit(0);
}
