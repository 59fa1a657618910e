import { ModuleRef } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { DataUpdaterService } from './services/data-updater.service.js';
import { EventsProducer } from './services/events-producer.service.js';

/** Whether a provider can get at a {@link DataUpdaterService} by what was injected into it, however far away. */
export function canReachService(provider: InstanceWrapper, seen = new Set<InstanceWrapper>()): boolean {
  if (seen.has(provider)) return false;
  seen.add(provider);
  // What the producer is made of can do more than it lets others do.
  if (provider.instance instanceof EventsProducer) return false;
  // Whoever holds the ModuleRef can get everything.
  if (provider.instance instanceof DataUpdaterService || provider.token === ModuleRef) return true;
  const injected = [
    ...(provider.getCtorMetadata() ?? []),
    ...(provider.getPropertiesMetadata() ?? []).map(({ wrapper }) => wrapper),
    ...(provider.getEnhancersMetadata() ?? []),
  ];
  return injected.some((wrapper) => canReachService(wrapper, seen));
}
