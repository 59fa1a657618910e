/**
 * What tools need that look into a store and change nothing. Apps need nothing of it: `@publicApi` means here that writers of tools may
 * touch it.
 */
export { StoreInspection, type InspectedState, type StoreFacts, type StoreInstance } from './store-inspection.js';
