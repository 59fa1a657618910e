import { keyBytes } from '../../keys/sharding-key.js';

/** Whatever is kept by key. */
export interface KeyedItem<T> {
  /** The canonical key, as `keyId` spells it. */
  readonly id: string;
  /** The next item with the same hash. */
  twin: T | undefined;
}

/** Where hashes begin. Each process has its own, so that nobody can send keys that are known to collide. */
const SEED = Math.floor(Math.random() * 2 ** 32) | 0;
/** Of the 32-bit FNV-1a hash (Fowler, Noll, Vo; RFC 9923). */
const FNV_PRIME = 0x01000193;
// A look at a global costs a hundred times more in a vm context, where the tests run.
const { imul } = Math;

/**
 * Items by their key's bytes. Every message looks its key up, and a map of strings would want a string of each message's
 * key first, which costs more than all of this.
 */
export class KeyTable<T extends KeyedItem<T>> {
  private readonly byHash = new Map<number, T>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  get(key: Uint8Array): T | undefined {
    let item = this.byHash.get(hashOf(key));
    while (item !== undefined && !spells(item.id, key)) item = item.twin;
    return item;
  }

  /** Adds an item whose key has none. */
  add(item: T): void {
    const hash = hashOf(keyBytes(item.id));
    item.twin = this.byHash.get(hash);
    this.byHash.set(hash, item);
    this.count++;
  }

  /** Removes an item; one that is not here is left alone. */
  delete(item: T): void {
    const hash = hashOf(keyBytes(item.id));
    const first = this.byHash.get(hash);
    if (first === item) {
      if (item.twin === undefined) this.byHash.delete(hash);
      else this.byHash.set(hash, item.twin);
      this.count--;
      return;
    }
    for (let before = first; before !== undefined; before = before.twin) {
      if (before.twin !== item) continue;
      before.twin = item.twin;
      this.count--;
      return;
    }
  }

  /** Items may be added and removed meanwhile, as with a map. */
  *values(): Generator<T> {
    for (const first of this.byHash.values()) {
      let item: T | undefined = first;
      while (item !== undefined) {
        // One that is removed while it is looked at keeps its link.
        const { twin }: T = item;
        yield item;
        item = twin;
      }
    }
  }
}

function hashOf(key: Uint8Array): number {
  let hash = SEED;
  for (let index = 0; index < key.length; index++) hash = imul(hash ^ key[index]!, FNV_PRIME);
  return hash;
}

function spells(id: string, key: Uint8Array): boolean {
  if (id.length !== key.length) return false;
  for (let index = 0; index < key.length; index++) if (id.charCodeAt(index) !== key[index]) return false;
  return true;
}
