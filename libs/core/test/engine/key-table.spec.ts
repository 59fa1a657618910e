import { randomBytes } from 'node:crypto';
import { keyId } from '../../src/keys/sharding-key.js';
import { KeyTable, type KeyedItem } from '../../src/engine/base/key-table.js';

class Item implements KeyedItem<Item> {
  twin: Item | undefined;
  readonly id: string;

  constructor(readonly key: Uint8Array) {
    this.id = keyId(key);
  }
}

describe('KeyTable', () => {
  // Of so many keys about ten pairs have the same 32-bit hash (the chance of none is below 1 in 10,000).
  const items = Array.from({ length: 300_000 }, () => new Item(randomBytes(16)));

  it('finds each item by its bytes, with the same hash or not, as long as it is there', () => {
    const table = new KeyTable<Item>();
    for (const item of items) table.add(item);
    expect(table.size).toBe(items.length);
    expect(items.filter((item) => item.twin !== undefined).length).toBeGreaterThan(0);
    expect(items.every((item) => table.get(Uint8Array.from(item.key)) === item)).toBe(true);
    expect(new Set(table.values()).size).toBe(items.length);

    const even = items.filter((_, index) => index % 2 === 0);
    for (const item of even) table.delete(item);
    expect(table.size).toBe(items.length / 2);
    expect(items.every((item, index) => table.get(item.key) === (index % 2 === 0 ? undefined : item))).toBe(true);
  });

  it('tells keys apart that differ in one byte, or in length', () => {
    const table = new KeyTable<Item>();
    const keys = [[], [0], [1], [255], [0, 0], [1, 0], [0, 1]].map((bytes) => Uint8Array.from(bytes));
    for (const key of keys) table.add(new Item(key));
    for (const key of keys) expect(table.get(key)?.key).toEqual(key);
    expect(table.get(Uint8Array.from([2]))).toBeUndefined();
    expect(table.get(Uint8Array.from([0, 0, 0]))).toBeUndefined();
  });

  it('leaves an item alone that it does not have', () => {
    const table = new KeyTable<Item>();
    const [here, stranger] = [new Item(Uint8Array.from([1])), new Item(Uint8Array.from([1]))];
    table.add(here);
    table.delete(stranger);
    expect(table.size).toBe(1);
    expect(table.get(here.key)).toBe(here);
  });

  it('may lose and win items while it is walked through', () => {
    const table = new KeyTable<Item>();
    const some = items.slice(0, 1_000);
    for (const item of some) table.add(item);
    const seen: Item[] = [];
    for (const item of table.values()) {
      seen.push(item);
      table.delete(item);
    }
    expect(seen.length).toBe(some.length);
    expect(new Set(seen).size).toBe(some.length);
    expect(table.size).toBe(0);
  });
});
