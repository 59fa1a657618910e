import type { DeadLetterDetails, DeadLetterReport, KeyReport } from '@mississippi/core';
import { writeKey } from '../keys/key-argument.js';

/** A key's report for scripts: the key as it is typed. */
export function keyDocument({ key, ...report }: KeyReport): object {
  const { value, type } = writeKey(key);
  return { key: value, keyType: type, ...report };
}

/** A dead letter's, in the same way. */
export function letterDocument({ key, ...report }: DeadLetterReport | DeadLetterDetails): object {
  const { value, type } = key === undefined ? { value: null, type: null } : writeKey(key);
  const body =
    'body' in report ? { body: report.body === undefined ? null : Buffer.from(report.body).toString('base64') } : {};
  return { ...report, key: value, keyType: type, ...body };
}
