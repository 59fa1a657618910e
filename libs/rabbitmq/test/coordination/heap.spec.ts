import fc from 'fast-check';
import { Heap } from '../../src/coordination/heap.js';

test('what is taken comes in order, whatever is pushed in between', () => {
  const step = fc.oneof(fc.integer({ min: 0, max: 50 }), fc.constant('take' as const));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = new Heap<number>((one, other) => one < other);
      const left: number[] = [];
      for (const one of steps) {
        if (one !== 'take') {
          heap.push(one);
          left.push(one);
          left.sort((a, b) => a - b);
        } else expect(heap.take()).toBe(left.shift());
        expect(heap.first).toBe(left[0]);
      }
    }),
  );
});
