import { MEMORY_WATERMARK, type RabbitMqNode } from '#support/rabbitmq-node.js';

/** Far below what a node needs. */
const NOTHING = 0.000001;

/** How long the node may take to see it. Milliseconds. */
const NOTICE = 300;

/**
 * Lets the broker run out of memory for a while: whoever publishes is blocked. In the broker, since `rabbitmqctl` takes as
 * long as the machine is busy, and the alarm would too. Returns whether the broker said so meanwhile.
 * @throws when it does not take it back
 */
export async function alarmFor(node: RabbitMqNode, length: number): Promise<boolean> {
  const set = (share: number): string => `vm_memory_monitor:set_vm_memory_high_watermark(${share.toFixed(6)})`;
  const wait = (milliseconds: number): string => `timer:sleep(${Math.round(milliseconds)})`;
  const look = 'rabbit_alarm:get_alarms()';
  const steps = [set(NOTHING), wait(NOTICE), `During = ${look}`, wait(Math.max(0, length - NOTICE))];
  const answer = await node.ask(
    'eval',
    [...steps, set(MEMORY_WATERMARK), wait(NOTICE), `[During, ${look}].`].join(', '),
  );
  const [during, after] = [/^\[\[.*memory.*\],/s.test(answer), /,\s*\[\]\]$/.test(answer.trim())];
  if (!after) throw new Error(`the memory alarm did not end: ${answer}`);
  return during;
}
