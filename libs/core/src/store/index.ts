/**
 * What a store is made of and made with: the interface between the core and a plugin that keeps states. Users of a store
 * need nothing of it: `@publicApi` means here that writers of stores may touch it.
 */
export type { Clock, Timer } from '../clock/clock.interface.js';
export type { MessageProperties } from '../interfaces/message-properties.interface.js';
export type { HeaderValue, MessageHeaders } from '../interfaces/message-headers.interface.js';
export type * from './store.interface.js';
