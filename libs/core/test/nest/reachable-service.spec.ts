import { Inject, Injectable, UseGuards, type CanActivate, type Provider, type Type } from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import { DataUpdaterService, EventsProducer, MessageHandler, MississippiModule } from '@mississippi/core';
import { canReach } from '../../src/reachable-service.js';
import { closeApps, startApp } from './support/app.js';

afterEach(closeApps);

@Injectable()
class Between {
  constructor(readonly service: DataUpdaterService) {}
}

@Injectable()
class AskingGuard implements CanActivate {
  constructor(readonly between: Between) {}
  canActivate(): boolean {
    return true;
  }
}

@MessageHandler()
class Direct {
  constructor(readonly service: DataUpdaterService) {}
  handleMessage(): void {}
}

@MessageHandler()
class Indirect {
  constructor(readonly between: Between) {}
  handleMessage(): void {}
}

@MessageHandler()
class ByProperty {
  @Inject(Between) readonly between!: Between;
  handleMessage(): void {}
}

@MessageHandler()
class ByReference {
  constructor(readonly moduleRef: ModuleRef) {}
  handleMessage(): void {}
}

@MessageHandler()
class Guarded {
  @UseGuards(AskingGuard)
  handleMessage(): void {}
}

@MessageHandler()
class ByFactory {
  constructor(readonly between: Between) {}
  handleMessage(): void {}
}

@MessageHandler()
class Publishing {
  constructor(readonly producer: EventsProducer) {}
  handleMessage(): void {}
}

@MessageHandler()
class Alone {
  handleMessage(): void {}
}

const made: Provider = { provide: ByFactory, useFactory: (b: Between) => new ByFactory(b), inject: [Between] };

test.each<[string, Type, Provider, boolean, boolean]>([
  ['injects the service', Direct, Direct, true, false],
  ['injects what injects it', Indirect, Indirect, true, false],
  ['has such a property', ByProperty, ByProperty, true, false],
  ['injects the ModuleRef', ByReference, ByReference, true, true],
  ['has a guard that injects it', Guarded, Guarded, true, false],
  ['is made by a factory that is given it', ByFactory, made, true, false],
  ['injects the producer only', Publishing, Publishing, false, true],
  ['injects nothing', Alone, Alone, false, false],
])('a handler that %s', async (_, token, provider, reaches, publishes) => {
  const app = await startApp({ imports: [MississippiModule.forRoot()], providers: [Between, provider] });
  const wrapper = [...app.get(ModulesContainer).values()]
    .map(({ providers }) => providers.get(token))
    .find((found) => found !== undefined)!;
  expect(canReach(DataUpdaterService, wrapper)).toBe(reaches);
  expect(canReach(EventsProducer, wrapper)).toBe(publishes);
});
