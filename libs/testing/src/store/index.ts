export type { StoreConformanceCase } from './store-case.js';
export { storeConformance } from './store-conformance.js';
export type { StoreCapability, StoreHarness } from './store-harness.js';
