import { isSignalFormat } from '../signals/signal-codec.js';
import { expects } from './validators.js';

export function IsSignalFormat(): PropertyDecorator {
  return expects(isSignalFormat, `'json' or a codec with encode and decode was expected`);
}
