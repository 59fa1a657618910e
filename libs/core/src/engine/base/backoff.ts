/** A double is infinite after 1,023 of them, and nothing times infinity is no number. */
const MOST_DOUBLINGS = 1_000;

/**
 * Exponential backoff with full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): a
 * random wait up to a bound that doubles with each failure.
 * @param failures how many there were, from 1
 * @returns milliseconds
 */
export function backoff(
  failures: number,
  options: { readonly initial: number; readonly max: number },
  random: () => number,
): number {
  return random() * Math.min(options.max, options.initial * 2 ** Math.min(failures - 1, MOST_DOUBLINGS));
}
