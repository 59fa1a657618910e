import type { Attributes, Meter, MetricOptions, ObservableResult } from '@opentelemetry/api';

interface Count {
  readonly attributes: Attributes;
  value: number;
}

/**
 * Counts by itself and tells when somebody collects: an addition of an SDK's counter compares attributes, which costs as much as half
 * a message. Its counts go on from one instance to the next, as those of an SDK's counter do.
 */
export class Tally {
  private readonly counts = new Map<string, Count>();

  private constructor(meter: Meter, name: string, options: MetricOptions) {
    meter.createObservableCounter(name, options).addCallback((result: ObservableResult) => {
      for (const { value, attributes } of this.counts.values()) result.observe(value, attributes);
    });
  }

  /** The tally of a name: the same one for all instances of a process that have a meter in common. */
  static of(meter: Meter, name: string, options: MetricOptions): Tally {
    let all = tallies.get(meter);
    if (all === undefined) tallies.set(meter, (all = new Map()));
    let tally = all.get(name);
    if (tally === undefined) all.set(name, (tally = new Tally(meter, name, options)));
    return tally;
  }

  /**
   * @param key tells apart what is counted apart
   * @param attributes those of the key, asked for at its first time
   */
  add(count: number, key: string, attributes: () => Attributes): void {
    const known = this.counts.get(key);
    if (known === undefined) this.counts.set(key, { attributes: attributes(), value: count });
    else known.value += count;
  }
}

const tallies = new WeakMap<Meter, Map<string, Tally>>();
