import { Inject, Injectable, UseGuards, type CanActivate, type Provider, type Type } from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import { DataUpdaterService, EventsProducer, MessageHandler, MississippiModule } from '@mississippi/core';
import { canReachService } from '../../src/reachable-service.js';
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

test.each<[string, Type, Provider, boolean]>([
  ['injects the service', Direct, Direct, true],
  ['injects what injects it', Indirect, Indirect, true],
  ['has such a property', ByProperty, ByProperty, true],
  ['injects the ModuleRef', ByReference, ByReference, true],
  ['has a guard that injects it', Guarded, Guarded, true],
  ['is made by a factory that is given it', ByFactory, made, true],
  ['injects the producer only', Publishing, Publishing, false],
  ['injects nothing', Alone, Alone, false],
])('a handler that %s', async (_, token, provider, reaches) => {
  const app = await startApp({ imports: [MississippiModule.forRoot()], providers: [Between, provider] });
  const wrapper = [...app.get(ModulesContainer).values()]
    .map(({ providers }) => providers.get(token))
    .find((found) => found !== undefined)!;
  expect(canReachService(wrapper)).toBe(reaches);
});
