import type { ShardReport } from '@mississippi/core';

/** All shards in a few numbers. */
export interface ShardSummary {
  readonly total: number;
  readonly owned: number;
  /** Without an owner. */
  readonly unowned: readonly number[];
  /** With a full side queue. */
  readonly stalled: readonly number[];
  /** Those whose owner did not answer. */
  readonly silent: readonly number[];
  /** Those owners. */
  readonly silentProcesses: readonly string[];
  readonly backlog: number;
  readonly inFlight: number;
  readonly parked: number;
  /** Messages a second. */
  readonly rate: number;
}

export function summaryOf(shards: readonly ShardReport[]): ShardSummary {
  const numbersOf = (test: (shard: ShardReport) => boolean): number[] => shards.filter(test).map(({ shard }) => shard);
  const sum = (value: (shard: ShardReport) => number | undefined): number =>
    shards.reduce((total, shard) => total + (value(shard) ?? 0), 0);
  return {
    total: shards.length,
    owned: shards.filter(({ process }) => process !== undefined).length,
    unowned: numbersOf(({ process }) => process === undefined),
    stalled: numbersOf(({ owned }) => owned?.stalled === true),
    silent: numbersOf(isSilent),
    silentProcesses: [...new Set(shards.filter(isSilent).map(({ process }) => process!))],
    backlog: sum(({ backlog }) => backlog),
    inFlight: sum(({ owned }) => owned?.inFlight),
    parked: sum(({ owned }) => owned?.parked),
    rate: sum(({ owned }) => owned?.rate),
  };
}

function isSilent({ process, owned }: ShardReport): boolean {
  return process !== undefined && owned === undefined;
}
