import { MississippiError } from '@mississippi/core';

/**
 * A health check asked for an instance that the app does not have.
 * @publicApi
 */
export class InstanceNotFoundError extends MississippiError {
  readonly code = 'instance_not_found';

  constructor(instance: string, cause: unknown) {
    super(
      `The app has no instance '${instance}' whose health could be checked: register it with ` +
        `MississippiModule.forRoot(${instance === 'default' ? '' : `{ name: '${instance}' }`}), or correct the name given to check().`,
      { cause },
    );
  }
}
