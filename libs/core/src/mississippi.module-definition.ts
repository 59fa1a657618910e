import { ConfigurableModuleBuilder } from '@nestjs/common';
import { DEFAULT_INSTANCE } from './mississippi.tokens.js';
import type { MississippiOptions, RegistrationOptions } from './mississippi.options.js';

/** What the registration itself needs, beside the options: it must be known before any factory runs. */
export type RegistrationExtras = Pick<RegistrationOptions, 'name' | 'global'>;

/** What the runtime gets to know of it. */
export type Registration = Required<RegistrationExtras>;

export const REGISTRATION = Symbol('mississippi:registration');

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<MississippiOptions>({
  moduleName: 'Mississippi',
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createMississippiOptions')
  .setExtras<RegistrationExtras>({}, (definition, { name = DEFAULT_INSTANCE, global = false }) => ({
    ...definition,
    global,
    providers: [
      ...(definition.providers ?? []),
      { provide: REGISTRATION, useValue: { name, global } satisfies Registration },
    ],
  }))
  .build();
