import { EXCEPTION_FILTERS_METADATA, GUARDS_METADATA, INTERCEPTORS_METADATA, PIPES_METADATA } from '../nest.js';

/** The kinds of enhancers, each with the metadata key by which Nest finds it. */
export const ENHANCERS = [
  { kind: 'guard', key: GUARDS_METADATA },
  { kind: 'pipe', key: PIPES_METADATA },
  { kind: 'interceptor', key: INTERCEPTORS_METADATA },
  { kind: 'filter', key: EXCEPTION_FILTERS_METADATA },
] as const;

export function hasEnhancer(key: string, handler: object, method: object): boolean {
  return Reflect.hasMetadata(key, handler.constructor) || Reflect.hasMetadata(key, method);
}

/** The classes and instances that decorate the handler's class or one of its methods. */
export function enhancersOf(key: string, handler: object, method: object): unknown[] {
  return [handler.constructor, method].flatMap((target) => (Reflect.getMetadata(key, target) as unknown[]) ?? []);
}
