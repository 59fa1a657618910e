import type { Type } from '@nestjs/common';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { MessageHandlerPartMark } from '../decorators/message-handler-part.decorator.js';
import { MessageHandlerMark } from '../decorators/message-handler.decorator.js';

const MARKS = [MessageHandlerMark, MessageHandlerPartMark];

/** A provider as a module lists it. */
export type Listed = Type | { readonly provide?: unknown; readonly useClass?: Type };

/**
 * The decorated class behind a provider: the one that a module lists, also where a test has put a mock, a factory or
 * another class in its place, and where the instance is a proxy that knows nothing of its class.
 * @param listed the providers of the module
 */
export function handlerClassOf(wrapper: InstanceWrapper, listed: readonly Listed[]): Type | undefined {
  const found = listed.find((provider) => provider === wrapper.token || given(provider, 'provide') === wrapper.token);
  const { instance, metatype, isFactory, token } = wrapper as InstanceWrapper<object | null>;
  const candidates = [
    typeof found === 'function' ? found : given(found, 'useClass'),
    isFactory ? undefined : metatype,
    given(instance, 'constructor'),
    token,
  ];
  return candidates.find(isHandlerClass);
}

/** Whether a class is decorated, as a handler or as a part of one, or inherits from one that is. */
export function isHandlerClass(type: unknown): type is Type {
  return typeof type === 'function' && MARKS.some(({ KEY }) => Reflect.hasMetadata(KEY, type));
}

function given(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
