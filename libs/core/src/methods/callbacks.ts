/** The callbacks of a handler, by which the engine knows them. */
export const CALLBACKS = [
  'init',
  'activate',
  'migrate',
  'handleMessage',
  'handleSignal',
  'handleContinue',
  'terminate',
] as const;
