import { pathToFileURL } from 'node:url';

/**
 * Where this file is. Not `import.meta.url`, which a test runner that turns ES modules
 * into CommonJS, as Jest does with ts-jest or Babel, leaves as a syntax error.
 */
export function ownFile(): URL {
  const { stackTraceLimit } = Error;
  const prepare: unknown = Reflect.get(Error, 'prepareStackTrace');
  try {
    // V8's own interface, so that neither a limit nor source maps nor an app's preparation of stacks change the answer.
    Error.stackTraceLimit = 1;
    Error.prepareStackTrace = (_, [site]) => site?.getFileName();
    const { stack } = new Error() as { stack?: unknown };
    if (typeof stack !== 'string') throw new TypeError('The file of this module is not known.');
    return stack.startsWith('file:') ? new URL(stack) : pathToFileURL(stack);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    Reflect.set(Error, 'prepareStackTrace', prepare);
  }
}
