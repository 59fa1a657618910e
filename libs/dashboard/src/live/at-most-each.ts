/**
 * Calls on at most once in a while; what comes too early is left out, since the next one says more.
 * @param interval milliseconds
 */
export function atMostEach<T>(interval: number, call: (value: T) => void): (value: T) => void {
  let last = -Infinity;
  return (value) => {
    const now = performance.now();
    if (now - last < interval) return;
    last = now;
    call(value);
  };
}
