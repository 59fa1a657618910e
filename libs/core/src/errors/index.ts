export * from './callback.errors.js';
export * from './configuration.errors.js';
export * from './key.errors.js';
export * from './message.errors.js';
export * from './mississippi.error.js';
export * from './signal.errors.js';
export * from './store.errors.js';
export * from './transport.errors.js';
