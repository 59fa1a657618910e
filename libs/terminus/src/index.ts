export { InstanceNotFoundError } from './instance-not-found.error.js';
export { MississippiHealthIndicator, type MississippiHealthOptions } from './mississippi.health.js';
