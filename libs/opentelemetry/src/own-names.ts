/** What the conventions have no name for. */
export const INSTANCE = 'mississippi.instance';
/** Of spans only: a metric by key would be as many as there are keys. */
export const KEY = 'mississippi.key';
export const EPOCH = 'mississippi.epoch';
export const ATTEMPT = 'mississippi.attempt';
export const OUTCOME = 'mississippi.outcome';
export const SIGNAL_NAME = 'mississippi.signal.name';
export const REASON = 'mississippi.reason';
