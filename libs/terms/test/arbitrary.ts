import * as fc from 'fast-check';
import { ErlangAtom, ErlangFloat, ErlangImproperList, ErlangTuple, type Term } from '@mississippi/terms';

/** Text without lone surrogates. */
export const text = fc.string({ unit: 'binary', maxLength: 30 });

const scalar: fc.Arbitrary<Term> = fc.oneof(
  text,
  fc.uint8Array({ maxLength: 40 }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 2_100n), max: 2n ** 2_100n }),
  fc.boolean(),
  fc.constant(null),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => new ErlangFloat(value)),
  text.map((name) => new ErlangAtom(name)),
);

const { term } = fc.letrec<{ term: Term; map: Term }>((tie) => ({
  term: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    scalar,
    fc.array(tie('term'), { maxLength: 6 }),
    fc.array(fc.nat({ max: 255 }), { maxLength: 20 }),
    fc.array(tie('term'), { maxLength: 6 }).map((elements) => new ErlangTuple(elements)),
    fc
      .tuple(fc.array(tie('term'), { minLength: 1, maxLength: 4 }), scalar)
      .map(([elements, tail]) => new ErlangImproperList(elements, tail)),
    tie('map'),
    fc.dictionary(text, tie('term'), { maxKeys: 6 }),
  ),
  // Keys of one kind of scalar each, so that no key occurs in two spellings.
  map: fc
    .uniqueArray(fc.tuple(fc.oneof(text, fc.integer()), tie('term')), { selector: ([key]) => key, maxLength: 40 })
    .map((pairs) => new Map(pairs)),
}));

/** Any term, nested up to four levels deep. */
export const anyTerm = term;
