import type { Type } from '@nestjs/common';
import type { StandardSchema } from '../interfaces/standard-schema.interface.js';
import { FailurePolicyOptions } from '../mississippi.options.js';
import { IsPayloadShape } from './is-payload-format.js';
import type { PayloadClassOptions } from './payload-class.options.js';
import { Nested, Optional } from './validators.js';

/**
 * What a payload must be before a method gets it: a class or a schema. How it travels, the option `payload` of the instance says for
 * all types alike.
 * @publicApi
 */
export type PayloadShape = Type | PayloadClassOptions | StandardSchema;

/**
 * What `@OnMessage` takes besides the type.
 * @publicApi
 */
export class OnMessageOptions {
  /**
   * The payload's class or schema, in place of that of the instance. What does not fit is dead-lettered as `payload_invalid`. The
   * method's first parameter must take it.
   */
  @Optional()
  @IsPayloadShape()
  payload?: PayloadShape;

  /** What is left out comes from the decorator of the class, and from `forRoot`. A failing `init` goes by these alone. */
  @Optional()
  @Nested(() => FailurePolicyOptions)
  failurePolicy?: FailurePolicyOptions;
}
