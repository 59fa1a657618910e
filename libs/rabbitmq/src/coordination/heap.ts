/** Things of which the first is wanted again and again: a binary heap. */
export class Heap<T> {
  private readonly items: T[] = [];

  /** @param isBefore whether one comes before another; of two of which neither does, either may be first */
  constructor(private readonly isBefore: (one: T, other: T) => boolean) {}

  get first(): T | undefined {
    return this.items[0];
  }

  push(item: T): void {
    const { items, isBefore } = this;
    let at = items.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(item, items[parent]!)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  /** Takes the first one out. */
  take(): T | undefined {
    const [first] = this.items;
    const last = this.items.pop();
    if (this.items.length > 0) this.sink(last!);
    return first;
  }

  private sink(item: T): void {
    const { items, isBefore } = this;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && isBefore(items[child + 1]!, items[child]!)) child++;
      if (!isBefore(items[child]!, item)) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = item;
  }
}
