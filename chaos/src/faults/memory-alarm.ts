import { setTimeout as sleep } from 'node:timers/promises';
import { MEMORY_WATERMARK, type RabbitMqNode } from '#support/rabbitmq-node.js';

/** Far below what a node needs. */
const NOTHING = 0.000001;

/** How long the broker may take to see it. Milliseconds. */
const PATIENCE = 10_000;

async function setWatermark(node: RabbitMqNode, share: number): Promise<void> {
  await node.ask('set_vm_memory_high_watermark', share.toFixed(6));
}

/** Returns whether the alarm is on, as the broker says, within the time that it may take. */
async function becomes(node: RabbitMqNode, on: boolean): Promise<boolean> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    if (/resource_limit,memory/.test(await node.ask('eval', 'rabbit_alarm:get_alarms().')) === on) return true;
    if (performance.now() >= end) return false;
    await sleep(100);
  }
}

/** Lets the broker run out of memory: whoever publishes is blocked. Returns whether the broker says so. */
export async function raiseAlarm(node: RabbitMqNode): Promise<boolean> {
  await setWatermark(node, NOTHING);
  return becomes(node, true);
}

/** @throws when the broker does not take it back */
export async function clearAlarm(node: RabbitMqNode): Promise<void> {
  await setWatermark(node, MEMORY_WATERMARK);
  if (!(await becomes(node, false))) throw new Error('the memory alarm did not end');
}
