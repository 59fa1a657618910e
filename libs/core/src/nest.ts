import type { ArgumentMetadata } from '@nestjs/common';
import type { DiscoveryService } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';

/*
 * Where Nest 11 and Nest 12 differ in what this package uses, all of it. Deep imports, here and elsewhere, have the
 * ending `.js`: Nest 11, which has no `exports`, resolves no others.
 */

/** Not from `@nestjs/common/internal`, which Nest 11 has not. */
export {
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  INJECTABLE_WATERMARK,
  INTERCEPTORS_METADATA,
  MODULE_METADATA,
  PIPES_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/constants.js';

/** An argument as `ExternalContextCreator.getParamValue` takes it: Nest 11 asks for all three fields, Nest 12 does not. */
export type CompleteArgumentMetadata = Required<ArgumentMetadata>;

/**
 * What is read off the providers, of those that are meant. Nest 11's own search by metadata key asks each for its class when
 * modules are scanned, so that it misses what a factory or a value provides.
 * @param read `undefined` where a provider is not meant; may throw where a value cannot be asked for its class: that is none of ours
 */
export function readProviders<T>(discovery: DiscoveryService, read: (wrapper: InstanceWrapper) => T | undefined): T[] {
  return discovery.getProviders().flatMap((wrapper) => {
    try {
      return read(wrapper) ?? [];
    } catch {
      return [];
    }
  });
}
