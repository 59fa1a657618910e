import type { Type } from '@nestjs/common';

/**
 * Where an option stands, for rules that look at the others too.
 * @publicApi
 */
export interface OptionPlace {
  /** The options, as they were given. */
  readonly object: object;
}

/** What a value must be. */
export interface OptionRule {
  readonly validate: (value: unknown, place: OptionPlace) => boolean;
  /** What was expected, for errors. */
  readonly expected: string;
}

/** All that the decorators say about one option. */
export interface OptionDeclaration {
  /** Whether it may be left out. */
  optional: boolean;
  readonly rules: OptionRule[];
  /** The class of options inside options, where the value is some. */
  nested: ((value: object) => Type<object> | undefined) | undefined;
}

type Declarations = Map<string, OptionDeclaration>;

/** By the prototype of the class that declares them. */
const declared = new WeakMap<object, Declarations>();

/** The declaration of an option, for the decorators to add to. */
export function declarationOf(prototype: object, name: string): OptionDeclaration {
  const own = declared.get(prototype) ?? new Map<string, OptionDeclaration>();
  declared.set(prototype, own);
  const declaration = own.get(name) ?? { optional: false, rules: [], nested: undefined };
  own.set(name, declaration);
  return declaration;
}

/** The options that a class has, inherited ones too. */
export function optionsOf(type: Type<object>): Declarations {
  const all: Declarations = new Map();
  for (let prototype: unknown = type.prototype; prototype; prototype = Object.getPrototypeOf(prototype)) {
    for (const [name, declaration] of declared.get(prototype) ?? []) {
      if (!all.has(name)) all.set(name, declaration);
    }
  }
  return all;
}
