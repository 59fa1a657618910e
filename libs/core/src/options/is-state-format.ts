import { isCodec } from '../payload/payload-format.js';
import { expects } from './validators.js';

export function IsStateFormat(): PropertyDecorator {
  return expects(
    (value) => value === 'json' || isCodec(value),
    `'json' or a codec with encode and decode was expected`,
  );
}
