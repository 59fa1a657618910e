/**
 * The instance that is meant where no name is given.
 * @publicApi
 */
export const DEFAULT_INSTANCE = 'default';
