import type { Type, ValidationPipeOptions } from '@nestjs/common';
import { expects, IsBoolean, Optional } from './validators.js';

const IsWords = (): PropertyDecorator =>
  expects(
    (value) => Array.isArray(value) && value.every((word) => typeof word === 'string'),
    'a list of names was expected',
  );

/**
 * A payload class together with options of class-validator, under their own names as in Nest's `ValidationPipe`, and of
 * class-transformer. Defaults are those of the two packages, but for `forbidUnknownValues`.
 * @example payload: { class: FlightDto, whitelist: true, forbidNonWhitelisted: true }
 * @publicApi
 */
export class PayloadClassOptions {
  /** The class whose instances the handler gets. */
  @expects((value) => typeof value === 'function' && typeof value.prototype === 'object', 'a class was expected')
  class!: Type;

  /** Take away properties without a decorator of class-validator. Without effect where the class has no such decorator. */
  @Optional()
  @IsBoolean()
  whitelist?: boolean;

  /** With `whitelist`: refuse such properties instead. */
  @Optional()
  @IsBoolean()
  forbidNonWhitelisted?: boolean;

  /** Refuse objects that class-validator knows nothing of. Default `true`. */
  @Optional()
  @IsBoolean()
  forbidUnknownValues?: boolean;

  /** The groups of decorators to check. Those of class-transformer are in `transformOptions`. */
  @Optional()
  @IsWords()
  groups?: string[];

  /** What a decorator without `always` of its own is taken to say. */
  @Optional()
  @IsBoolean()
  always?: boolean;

  /** Leave out decorators without groups where `groups` is given. */
  @Optional()
  @IsBoolean()
  strictGroups?: boolean;

  @Optional()
  @IsBoolean()
  skipMissingProperties?: boolean;

  @Optional()
  @IsBoolean()
  skipNullProperties?: boolean;

  @Optional()
  @IsBoolean()
  skipUndefinedProperties?: boolean;

  /** Tell only the first problem of each property. */
  @Optional()
  @IsBoolean()
  stopAtFirstError?: boolean;

  @Optional()
  @IsBoolean()
  dismissDefaultMessages?: boolean;

  @Optional()
  @IsBoolean()
  enableDebugMessages?: boolean;

  /** For class-transformer's `plainToInstance`, such as `{ enableImplicitConversion: true }`. */
  @Optional()
  @expects((value) => typeof value === 'object' && value !== null, 'an object was expected')
  transformOptions?: NonNullable<ValidationPipeOptions['transformOptions']>;
}
