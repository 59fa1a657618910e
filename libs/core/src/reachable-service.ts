import { ModuleRef } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { DataUpdaterService } from './services/data-updater.service.js';
import { EventsProducer } from './services/events-producer.service.js';

/** What a service is made of can do more than it lets others do. */
const SERVICES = [DataUpdaterService, EventsProducer];

/** Whether a provider can get at a service by what was injected into it, however far away. */
export function canReach(
  service: typeof DataUpdaterService | typeof EventsProducer,
  provider: InstanceWrapper,
  seen = new Set<InstanceWrapper>(),
): boolean {
  if (seen.has(provider)) return false;
  seen.add(provider);
  const found = SERVICES.find((type) => provider.instance instanceof type);
  if (found !== undefined) return found === service;
  // Whoever holds the ModuleRef can get everything.
  if (provider.token === ModuleRef) return true;
  const injected = [
    ...(provider.getCtorMetadata() ?? []),
    ...(provider.getPropertiesMetadata() ?? []).map(({ wrapper }) => wrapper),
    ...(provider.getEnhancersMetadata() ?? []),
  ];
  return injected.some((wrapper) => canReach(service, wrapper, seen));
}
