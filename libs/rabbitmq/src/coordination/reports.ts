import { checkedPauses, type TypePauses } from './pauses.js';

/**
 * What a process says of itself to the coordinator. The coordinator settles it only when a newer one has come, so that the next
 * coordinator gets the last of each process from the broker.
 */
export interface Report {
  /** Of the process, for as long as it takes part. */
  readonly id: string;
  /** Counts its reports. */
  readonly seq: number;
  /** What people know it by. */
  readonly name: string;
  readonly application: string;
  readonly totalCount: number;
  /** The last order that it has carried out; empty before the first. */
  readonly done: string;
  /** Whether it can have shards: its consuming connection is there, and it does not leave. */
  readonly connected: boolean;
  /** It takes part no more. */
  readonly left: boolean;
  /** The part of the shards that it is to have, beside the others' weights. */
  readonly weight: number;
  /** Most shards that it may own now. */
  readonly most: number;
  /** What it owned when it began to leave; nothing before. */
  readonly had: readonly number[];
  /** What it owns, those that it hands over included. */
  readonly owned: readonly number[];
  /** Those that it hands over. */
  readonly leaving: readonly number[];
  /** Those that it could not get or open lately: they are given to somebody else. */
  readonly unable: readonly number[];
  /** Those that it owns and has seen refused to another consumer. */
  readonly verified: readonly number[];
  /** What it is to have rather than others, as the coordinator has said, for the next one; left out where it is nothing. */
  readonly home?: readonly number[];
  /** For how long that has been so. Milliseconds. */
  readonly homeAge?: number;
  /** The types that it knows are paused; left out before any was. */
  readonly pauses?: TypePauses;
  /** Whether an operator has it claim nothing; left out, it is not so. */
  readonly paused?: true;
  /** Whether it takes no actions from operators of other processes; left out, it takes them. */
  readonly guarded?: true;
}

/** What the coordinator has a process do. It may be wrong, which costs time: the broker decides who owns what. */
export interface Order {
  /** Unlike any other, of other coordinators too. */
  readonly id: string;
  /** The last report that the coordinator has read. */
  readonly seq: number;
  /** How many processes take part. */
  readonly members: number;
  readonly claim: readonly number[];
  /** Those of them of which only one process can be the consumer, as the owner before has seen. */
  readonly verified: readonly number[];
  /** How many shards to hand over: of those that are wanted elsewhere, then those that it got last. */
  readonly shed: number;
  /** Those that are wanted elsewhere. */
  readonly wanted: readonly number[];
  /** What the process is to have rather than others; left out where it is nothing. */
  readonly home?: readonly number[];
  /** The types that are paused: nothing of what is claimed starts before they are known. Left out before any was. */
  readonly pauses?: TypePauses;
}

/** Shards in a few bytes: `0-3 7 9-12`. */
export function writeShards(shards: readonly number[]): string {
  const sorted = [...shards].sort((a, b) => a - b);
  const ranges: string[] = [];
  for (let i = 0; i < sorted.length; i++) {
    const first = sorted[i]!;
    while (sorted[i + 1] === sorted[i]! + 1) i++;
    ranges.push(sorted[i] === first ? `${first}` : `${first}-${sorted[i]}`);
  }
  return ranges.join(' ');
}

/** @throws {TypeError} when it is no list of shards below the number of them, each once and in order */
export function readShards(text: unknown, total: number): number[] {
  if (typeof text !== 'string') throw new TypeError('no list of shards');
  const shards: number[] = [];
  let last = -1;
  for (const range of text.split(' ')) {
    if (range === '') continue;
    const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    const isNext = Number(from) > last && Number(to) >= Number(from);
    if (from === undefined || !isNext || Number(to) >= total) throw new TypeError(`no shards: ${range}`);
    last = Number(to);
    for (let shard = Number(from); shard <= last; shard++) shards.push(shard);
  }
  return shards;
}

/** What is left of a report once its lists are text. */
type Written<T> = { readonly [K in keyof T]: T[K] extends readonly number[] | undefined ? string : T[K] };

/** What not everybody has. */
function writeHome(home: readonly number[] | undefined): { readonly home?: string } {
  return home === undefined ? {} : { home: writeShards(home) };
}

/** @throws as {@link readShards} does */
function readHome(home: unknown, total: number): { readonly home?: readonly number[] } {
  return home === undefined ? {} : { home: readShards(home, total) };
}

export function encodeReport(report: Report): Buffer {
  const { had, owned, leaving, unable, verified, most, home, ...rest } = report;
  const written: Written<Omit<Report, 'most'>> & { readonly most: number | null } = {
    ...rest,
    ...writeHome(home),
    most: most === Infinity ? null : most,
    had: writeShards(had),
    owned: writeShards(owned),
    leaving: writeShards(leaving),
    unable: writeShards(unable),
    verified: writeShards(verified),
  };
  return Buffer.from(JSON.stringify(written));
}

/** @throws when it is none, or of another number of shards */
export function decodeReport(body: Uint8Array, total: number): Report {
  const { had, owned, leaving, unable, verified, most, home, ...rest } = JSON.parse(
    Buffer.from(body).toString(),
  ) as Written<Omit<Report, 'most'>> & { readonly most: number | null };
  if (!isReport(rest) || !(most === null || isCount(most))) throw new TypeError('no report');
  if (rest.pauses !== undefined) checkedPauses(rest.pauses);
  return {
    ...rest,
    ...readHome(home, total),
    most: most ?? Infinity,
    had: readShards(had, total),
    owned: readShards(owned, total),
    leaving: readShards(leaving, total),
    unable: readShards(unable, total),
    verified: readShards(verified, total),
  };
}

type Plain = Omit<Report, 'had' | 'owned' | 'leaving' | 'unable' | 'verified' | 'most' | 'home'>;

/** One member without a weight would make all shares NaN, for as long as it lives. */
function isReport({ id, seq, name, application, totalCount, weight }: Plain): boolean {
  const areTexts = [id, name, application].every((text) => typeof text === 'string');
  return areTexts && isCount(seq) && isCount(totalCount) && Number.isFinite(weight) && weight > 0;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function encodeOrder({ claim, verified, wanted, home, ...rest }: Order): Buffer {
  const lists = { claim: writeShards(claim), verified: writeShards(verified), wanted: writeShards(wanted) };
  return Buffer.from(JSON.stringify({ ...rest, ...lists, ...writeHome(home) }));
}

/** @throws when it is none */
export function decodeOrder(body: Uint8Array, total: number): Order {
  const { claim, verified, wanted, home, ...rest } = JSON.parse(Buffer.from(body).toString()) as Written<Order>;
  if (typeof rest.id !== 'string' || typeof rest.shed !== 'number') throw new TypeError('no order');
  if (rest.pauses !== undefined) checkedPauses(rest.pauses);
  return {
    ...rest,
    ...readHome(home, total),
    claim: readShards(claim, total),
    verified: readShards(verified, total),
    wanted: readShards(wanted, total),
  };
}
