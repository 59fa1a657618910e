/**
 * What a {@link Fifo} holds: each item is in one list at most and carries its own link.
 * @publicApi
 */
export interface FifoItem<T> {
  next: T | undefined;
}

/**
 * A first-in-first-out list without a node per item, so that a long backlog costs no more per item than a short one.
 * @publicApi
 */
export class Fifo<T extends FifoItem<T>> {
  private first: T | undefined;
  private last: T | undefined;
  private count = 0;

  get length(): number {
    return this.count;
  }

  peek(): T | undefined {
    return this.first;
  }

  push(item: T): void {
    if (this.last === undefined) this.first = item;
    else this.last.next = item;
    this.last = item;
    this.count++;
  }

  /** Puts an item in front of all others. */
  unshift(item: T): void {
    item.next = this.first;
    this.first = item;
    this.last ??= item;
    this.count++;
  }

  shift(): T | undefined {
    const item = this.first;
    if (item === undefined) return undefined;
    this.first = item.next;
    if (this.first === undefined) this.last = undefined;
    item.next = undefined;
    this.count--;
    return item;
  }

  /** Removes every item that is not to stay. */
  keep(stays: (item: T) => boolean): void {
    let item = this.first;
    this.first = undefined;
    this.last = undefined;
    this.count = 0;
    while (item !== undefined) {
      const { next } = item;
      item.next = undefined;
      if (stays(item)) this.push(item);
      item = next;
    }
  }

  /** Takes out an item, wherever it is; one that is not here is left alone. Looks at all that come before it. */
  remove(item: T): void {
    if (this.first === item) {
      this.shift();
      return;
    }
    for (let before = this.first; before !== undefined; before = before.next) {
      if (before.next !== item) continue;
      before.next = item.next;
      if (this.last === item) this.last = before;
      item.next = undefined;
      this.count--;
      return;
    }
  }

  /** From the first to the last. The list must not change meanwhile. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let item = this.first; item !== undefined; item = item.next) yield item;
  }
}
