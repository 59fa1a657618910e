/**
 * The token of the `TestBench` that all instances of an app are put on. Nothing is provided for it by default: override its
 * provider in a test.
 * @publicApi
 */
export const MISSISSIPPI_TEST_BENCH = Symbol('mississippi:test-bench');
