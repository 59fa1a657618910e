export type { Job, OpenQueue } from './queue.js';
export { groupmqQueue, type GroupmqSettings } from './groupmq.js';
export { pgBossQueue, type PgBossSettings, type RunSql } from './pg-boss.js';
