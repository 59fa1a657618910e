import { Injectable } from '@nestjs/common';
import type { DiscoverableDecorator } from '@nestjs/core';
import { INJECTABLE_WATERMARK } from '../nest.js';
import { checkObject } from '../options/validate-options.js';

/** Makes a class a provider that Nest's discovery finds by a mark. */
export function markClass<Options>(
  name: string,
  mark: DiscoverableDecorator<Options>,
  options: Options,
): ClassDecorator {
  return (target) => {
    checkObject(`@${name}(${target.name})`, options); // The mark would take null for no options at all.
    // A second Injectable() would hide the scope of the first, which is refused at the start of the app.
    if (!Reflect.hasOwnMetadata(INJECTABLE_WATERMARK, target)) Injectable()(target);
    mark(options)(target);
  };
}
