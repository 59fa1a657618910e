import type { RabbitMqNode } from '#support/rabbitmq-node.js';
import { Place, type PlacePlan } from './place.js';
import type { Recorder } from './recorder.js';

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
    readonly publisher: Place,
  ) {
    this.all = [...workers, ...guests, publisher];
    process.once('exit', this.killAll);
  }

  static async open(
    node: RabbitMqNode,
    plan: PlacePlan,
    size: number,
    recorder: Recorder,
    mutant?: string,
  ): Promise<Crew> {
    const worker = (name: string): Promise<Place> => Place.open(name, 'worker', plan, node.url, recorder, mutant);
    const workers = await Promise.all(Array.from({ length: size }, (_, index) => worker(`w${index}`)));
    const publisher = await Place.open('publisher', 'publisher', plan, node.url, recorder);
    return new Crew(workers, [await worker('guest')], publisher);
  }

  /** Starts the workers and the publisher that do not run. */
  async start(): Promise<void> {
    const idle = [...this.workers, this.publisher].filter(({ occupied }) => !occupied);
    await Promise.all(idle.map((place) => place.start()));
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
