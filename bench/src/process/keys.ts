import { shardOfEncoded } from '@mississippi/core/transport';
import { encodeTerm } from '@mississippi/terms';

export const SHARDS = 128;

/** The keys of a run, made beforehand: names for the peers, bytes and shards for the library. */
export class Keys {
  readonly names: string[];
  readonly bytes: Uint8Array[];
  readonly shards: Uint8Array;

  constructor(readonly count: number) {
    this.names = Array.from({ length: count }, (_, index) => keyName(index));
    this.bytes = this.names.map((name) => encodeTerm(name));
    this.shards = Uint8Array.from(this.bytes, (bytes) => shardOfEncoded(bytes, SHARDS));
  }
}

export function keyName(index: number): string {
  return `sensor-${String(index).padStart(7, '0')}`;
}
