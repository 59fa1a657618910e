/**
 * What a kit for users' tests is made with: the interface between the core and `@mississippi/testing`. Users of the kit need
 * nothing of it: `@publicApi` means here that writers of kits may touch it.
 */
export { MISSISSIPPI_TEST_BENCH } from './test-bench.token.js';
export type * from './bench-work.interface.js';
export type * from './test-bench.interface.js';
