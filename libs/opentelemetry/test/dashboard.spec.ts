import { readFileSync } from 'node:fs';
import type { ObservedInstance } from '@mississippi/core/telemetry';
import { openTelemetry } from '@mississippi/opentelemetry';
import { FakeClock } from '@mississippi/testing';
import { createNoopMeter, type Meter } from '@opentelemetry/api';

const ROOT = new URL('../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

/** The names of all instruments that are made, and what makes them. */
function instruments(): Map<string, string> {
  const made = new Map<string, string>();
  const meter = new Proxy(createNoopMeter(), {
    get(target, method: keyof Meter) {
      const original = Reflect.get(target, method) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        if (method.startsWith('create')) made.set(args[0] as string, method);
        return original.apply(target, args);
      };
    },
  });
  const destination = { system: 'mississippi', template: '{shard}', name: String };
  const instance = { name: 'default', destination, clock: new FakeClock() } as unknown as ObservedInstance;
  openTelemetry({ traces: false, meterProvider: { getMeter: () => meter } }).attach(instance);
  return made;
}

/** What Prometheus calls them. */
function prometheusNames(): string[] {
  return [...instruments()].flatMap(([name, method]) => {
    const plain = name.replaceAll('.', '_');
    if (method === 'createCounter' || method === 'createObservableCounter') return [`${plain}_total`];
    return method === 'createHistogram' ? [`${plain}_bucket`, `${plain}_count`] : [plain];
  });
}

/** The metrics that the dashboard asks for. */
function asked(): Set<string> {
  const { panels } = JSON.parse(read('docs/grafana/mississippi.json')) as {
    panels: { targets?: { expr: string }[] }[];
  };
  const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  // A unit that only some exporters append is in brackets.
  const names = queries.flatMap((query) => [
    ...query.matchAll(/\b(?:mississippi|messaging)(?:_[a-z]+)+(?:\(_seconds\)\?[a-z_]*)?/g),
  ]);
  const labels = /^(mississippi_(instance|reason)|messaging_operation_name)$/;
  return new Set(names.map(([name]) => name.replace('(_seconds)?', '')).filter((name) => !labels.test(name)));
}

test('the dashboard asks for metrics that there are', () => {
  const there = new Set(prometheusNames());
  expect([...asked()].filter((name) => !there.has(name))).toEqual([]);
});

test('the dashboard leaves no metric out, but for those that others tell', () => {
  const shown = asked();
  const families = new Set(prometheusNames().map((name) => name.replace(/_(bucket|count)$/, '')));
  const unseen = [...families].filter((family) => ![...shown].some((name) => name.startsWith(family)));
  expect(unseen).toEqual(['messaging_client_consumed_messages_total']);
});

test('the document names each metric, as it is called', () => {
  const text = read('docs/telemetry.md');
  expect([...instruments().keys()].filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});
