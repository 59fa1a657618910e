import { ConfigurableModuleBuilder, type Provider } from '@nestjs/common';
import {
  DEFAULT_INSTANCE,
  getMississippiOptionsToken,
  getMississippiStoreToken,
  getMississippiTransportToken,
} from './mississippi.tokens.js';
import { isObject } from './is-object.js';
import type { MississippiOptions, RegistrationOptions } from './mississippi.options.js';

/** What the registration itself needs, beside the options: it must be known before any factory runs. */
export type RegistrationExtras = Pick<RegistrationOptions, 'name' | 'global'>;

/** What the runtime gets to know of it. */
export type Registration = Required<RegistrationExtras>;

export const REGISTRATION = Symbol('mississippi:registration');

/** What the runtime is given, whatever the name of the instance: behind each stands a token by that name, which may be overridden. */
export const GIVEN_OPTIONS = Symbol('mississippi:given-options');
export const GIVEN_TRANSPORT = Symbol('mississippi:given-transport');
export const GIVEN_STORE = Symbol('mississippi:given-store');

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

/** The options of an instance, and the two plugins in them, each under a token that can be overridden. */
export function givenProviders(name: string): Provider[] {
  const options = getMississippiOptionsToken(name);
  const transport = getMississippiTransportToken(name);
  const store = getMississippiStoreToken(name);
  // What the options are good for is said when the app starts: until then they may be anything.
  const plugin = (key: 'transport' | 'store') => (given: unknown) => (isObject(given) ? given[key] : undefined);
  return [
    { provide: options, useFactory: (given: unknown) => given, inject: [MODULE_OPTIONS_TOKEN] },
    { provide: transport, useFactory: plugin('transport'), inject: [options] },
    { provide: store, useFactory: plugin('store'), inject: [options] },
    { provide: GIVEN_OPTIONS, useExisting: options },
    { provide: GIVEN_TRANSPORT, useExisting: transport },
    { provide: GIVEN_STORE, useExisting: store },
  ];
}
