export { MississippiDashboardModule } from './dashboard.module.js';
export type { MississippiDashboardOptions } from './dashboard.options.js';
