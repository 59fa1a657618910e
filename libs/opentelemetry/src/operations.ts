import type { CallbackOperation, Operation } from '@mississippi/core/telemetry';

/** What the callbacks are called in spans and metrics; `process` is the conventions' word. */
const CALLBACKS: Readonly<Record<CallbackOperation['callback'], string>> = {
  handleMessage: 'process',
  handleSignal: 'answer',
  handleContinue: 'continue',
  init: 'init',
  activate: 'activate',
  migrate: 'migrate',
};

/** `messaging.operation.name`: the library's own word for it. */
export function nameOf(operation: Operation): string {
  switch (operation.kind) {
    case 'callback':
      return CALLBACKS[operation.callback];
    case 'relay':
      return 'publish';
    default:
      return operation.kind;
  }
}

/** `messaging.operation.type`: the conventions' word for it, where they have one. */
export function typeOfOperation(operation: Operation): 'create' | 'send' | 'process' | undefined {
  switch (operation.kind) {
    case 'create':
      return 'create';
    case 'callback': {
      const { callback } = operation;
      return callback === 'handleMessage' || callback === 'handleSignal' ? 'process' : undefined;
    }
    default:
      return 'send';
  }
}
