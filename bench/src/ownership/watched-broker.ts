import { RabbitMqNode } from '#support/rabbitmq-node.js';
import { processCpu } from '../harness/cpu-clock.js';
import { setNice } from './priority.js';

/** What the broker has counted since it was started. */
export interface Counters {
  /** Frames of channels that it received: methods, and headers and bodies of messages. */
  readonly frames: number;
  /** Queues that were declared, or declared again. */
  readonly declares: number;
  /** Channels that it closed because of an error. */
  readonly errors: number;
  /** Its clock. Milliseconds. */
  readonly at: number;
  /** Claims that it refused, as its log tells them. */
  readonly refusals: number;
}

/** Functions of the broker that are called once for each; they have been there from 3.10 to 4.x. */
const COUNTED = {
  frames: '{rabbit_command_assembler, process, 2}',
  errors: '{rabbit_binary_generator, map_exception, 3}',
};

/**
 * Counts the calls of {@link COUNTED}, at the cost of a breakpoint each, and has every line written to the log: by default
 * Erlang's logger drops what exceeds 500 in a second, or 200 that wait.
 */
const PREPARE = `
[erlang:trace_pattern(F, true, [call_count]) || F <- [${Object.values(COUNTED).join(', ')}]],
[ok = logger:update_handler_config(I, config,
   #{burst_limit_enable => false, drop_mode_qlen => 1000000, flush_qlen => 1000000})
 || #{id := I, config := #{type := file}} <- logger:get_handler_config()],
ok.`;

/** Has the log written through, since lines wait up to two seconds for others, and tells the counters. */
const TELL = `
[M:filesync(I) || #{id := I, module := M, config := #{type := file}} <- logger:get_handler_config()],
Calls = fun(F) -> {call_count, N} = erlang:trace_info(F, call_count), N end,
Declares = lists:sum([element(6, Row) || Row <- ets:tab2list(connection_churn_metrics)]),
{Calls(${COUNTED.frames}), Declares, Calls(${COUNTED.errors}), erlang:monotonic_time(millisecond)}.`;

/** An exclusive consumer that was refused (403), or an exclusive queue (405). */
const REFUSED = /caused a channel exception (?:access_refused|resource_locked)/g;

/** A node of our own that counts what it is asked to do. */
export class WatchedBroker {
  private constructor(
    private readonly node: RabbitMqNode,
    private readonly pid: number,
    readonly version: string,
  ) {}

  static async start(nice: number | undefined): Promise<WatchedBroker> {
    const node = await RabbitMqNode.start();
    const pid = Number(node.eval('os:getpid().').replaceAll('"', ''));
    const version = node.eval('rabbit_misc:version().').replaceAll('"', '');
    node.eval(PREPARE);
    if (nice !== undefined) setNice(pid, nice);
    return new WatchedBroker(node, pid, version);
  }

  get url(): string {
    return this.node.url;
  }

  /** The CPU time that it has used. Milliseconds; `NaN` where the system does not tell. */
  get cpu(): number {
    return (processCpu(this.pid) ?? NaN) / 1_000;
  }

  async counters(): Promise<Counters> {
    const [frames, declares, errors, at] = (await this.node.ask('eval', TELL)).match(/-?\d+/g)!.map(Number);
    const refusals = [...this.node.logged().matchAll(REFUSED)].length;
    return { frames: frames!, declares: declares!, errors: errors!, at: at!, refusals };
  }

  async stop(): Promise<void> {
    await this.node.stop();
  }
}
