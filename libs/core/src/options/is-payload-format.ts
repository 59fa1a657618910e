import { classOf, isPayloadClass, isPayloadFormat, schemaOf } from '../payload/payload-format.js';
import { declarationOf } from './option-rules.js';
import { PayloadClassOptions } from './payload-class.options.js';
import { expects } from './validators.js';

/** How payloads travel. */
export function IsPayloadFormat(): PropertyDecorator {
  return (target, property) => {
    expects(
      isPayloadFormat,
      `'json', 'text', 'bytes', a codec with encode and decode, a class, { class, … } or a Standard Schema was expected`,
    )(target, property);
    declarationOf(target, String(property)).nested = (value) =>
      isPayloadClass(value) ? PayloadClassOptions : undefined;
  };
}

/** What a payload must be, however it travels. */
export function IsPayloadShape(): PropertyDecorator {
  return (target, property) => {
    expects(
      (value) => isPayloadFormat(value) && (classOf(value) ?? schemaOf(value)) !== undefined,
      'a class, { class, … } or a Standard Schema was expected (how payloads travel, the option payload of the instance says)',
    )(target, property);
    declarationOf(target, String(property)).nested = (value) =>
      isPayloadClass(value) ? PayloadClassOptions : undefined;
  };
}
