export { InstanceNotFoundError } from './instance-not-found.error.js';
export {
  MississippiHealthIndicator,
  type MississippiHealthOptions,
  type MississippiHealthProblem,
} from './mississippi.health.js';
