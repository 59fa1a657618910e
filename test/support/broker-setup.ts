// Jest loads this file as CommonJS and does not look for './x.ts' where './x.js' is asked for.
import broker = require('./broker');
import node = require('./rabbitmq-node');

let shared: node.BrokerNode | undefined;

/** Runs once, before all specs of the project. */
export default async function setUp(): Promise<void> {
  const starters = { installed: () => node.RabbitMqNode.start(), container: () => node.RabbitMqContainer.start() };
  shared = await broker.bringUp(starters, (line) => console.log(line));
}

export async function tearDown(): Promise<void> {
  await shared?.stop();
  shared = undefined;
}
