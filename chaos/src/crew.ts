import type { Recorder } from '@mississippi/history';
import type { RabbitMqNode } from '#support/rabbitmq-node.js';
import { Place, type PlacePlan } from './place.js';

/** The places of a run. Whatever runs in them ends with this process. */
export class Crew {
  readonly all: readonly Place[];
  private readonly killAll = (): void => {
    for (const place of this.all) place.killNow();
  };

  private constructor(
    readonly workers: readonly Place[],
    /** Empty at first. */
    readonly guests: readonly Place[],
    readonly publishers: readonly Place[],
  ) {
    this.all = [...workers, ...guests, ...publishers];
    process.once('exit', this.killAll);
  }

  static async open(
    node: RabbitMqNode,
    plan: PlacePlan,
    size: number,
    recorder: Recorder,
    mutant?: string,
  ): Promise<Crew> {
    const worker = (name: string, index: number): Promise<Place> =>
      Place.open(name, index, 'worker', plan, node.url, recorder, mutant);
    const publisher = (index: number): Promise<Place> =>
      Place.open(`publisher${index}`, index, 'publisher', plan, node.url, recorder, mutant);
    const workers = await Promise.all(Array.from({ length: size }, (_, index) => worker(`w${index}`, index)));
    const publishers = await Promise.all(Array.from({ length: plan.publishers }, (_, index) => publisher(index)));
    return new Crew(workers, [await worker('guest', size)], publishers);
  }

  /** Everything that was published is confirmed, and nothing more comes. */
  get quiet(): boolean {
    return this.publishers.every(({ quiet }) => quiet);
  }

  /** Starts the workers and the publishers that do not run. */
  async start(): Promise<void> {
    const idle = [...this.workers, ...this.publishers].filter(({ occupied }) => !occupied);
    await Promise.all(idle.map((place) => place.start()));
  }

  /** The publishers are to rest until they {@link goOn}. */
  pause(): void {
    for (const publisher of this.publishers) publisher.send({ type: 'pause' });
  }

  goOn(): void {
    for (const publisher of this.publishers) publisher.send({ type: 'goOn' });
  }

  /** The publishers are to come to their end. */
  finish(): void {
    for (const publisher of this.publishers) publisher.send({ type: 'finish' });
  }

  /** Everybody leaves in good order. */
  async leave(): Promise<void> {
    await Promise.all(this.all.map((place) => place.leave()));
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((place) => place.close()));
    process.off('exit', this.killAll);
  }
}
