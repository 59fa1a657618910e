/** A fault that somebody might put into the library, planted to prove that the checker would see it. */
export interface Mutant {
  readonly name: string;
  /** What it does wrong. */
  readonly fault: string;
  /**
   * Puts the fault into the classes; the returned function takes it out again.
   * @param struck to be called whenever the fault did something that the library does not: a mutant that never strikes was
   *   planted nowhere, and proves nothing
   */
  plant(struck: () => void): () => void;
}

/** How often a mutant that is planted here has struck. */
export class PlantedMutant {
  strikes = 0;
  private readonly undo: () => void;

  constructor(readonly mutant: Mutant) {
    this.undo = mutant.plant(() => this.strikes++);
  }

  takeOut(): void {
    this.undo();
  }

  /** @throws where the fault never took hold */
  expectStruck(): void {
    if (this.strikes === 0)
      throw new Error(`The mutant '${this.mutant.name}' planted nothing: its fault never struck.`);
  }
}

/**
 * Replaces a public member of a class, a method or a field of its prototype. Its name and type are those of the class, so
 * that a rename of either does not compile. The returned function puts the original back.
 */
export function replaceMethod<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  make: (original: T[K]) => T[K],
): () => void {
  const original = prototype[name];
  prototype[name] = make(original);
  return () => void (prototype[name] = original);
}

/** The same for a getter: of what it would answer another answer is made. */
export function replaceGetter<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  make: (value: T[K]) => T[K],
): () => void {
  const original = Object.getOwnPropertyDescriptor(prototype, name)!;
  const read = Reflect.get(original, 'get') as (this: T) => T[K];
  const get = function (this: T): T[K] {
    return make(read.call(this));
  };
  Object.defineProperty(prototype, name, { ...original, get });
  return () => void Object.defineProperty(prototype, name, original);
}

/** Several replacements as one: what was planted last is taken out first. */
export function together(...undo: readonly (() => void)[]): () => void {
  return () => undo.toReversed().forEach((takeOut) => takeOut());
}
