import assert from 'node:assert/strict';

/** A harness that may lack something, and says so. */
interface Harness<C extends string> {
  readonly unsupported: readonly C[];
}

/**
 * @param methods those of the harness that make up each capability
 * @throws {AssertionError} when a capability is neither there nor listed as unsupported, or both
 */
export function checkCapabilities<C extends string, H extends Harness<C>>(
  harness: H,
  methods: Readonly<Record<C, readonly (keyof H & string)[]>>,
): void {
  for (const capability of Object.keys(methods) as C[]) {
    const listed = harness.unsupported.includes(capability);
    for (const method of methods[capability]) {
      const there = harness[method] !== undefined;
      assert.notEqual(
        there,
        listed,
        there
          ? `The harness has ${method}, but lists ${capability} as unsupported: remove one of them.`
          : `The harness has no ${method}: add it, or list ${capability} in unsupported.`,
      );
    }
  }
}

/** Whether the case can be proved; says so with a process warning where it cannot. */
export function isProvable<C extends string>(name: string, needs: readonly C[], harness: Harness<C>): boolean {
  const missing = needs.filter((need) => harness.unsupported.includes(need));
  if (missing.length === 0) return true;
  process.emitWarning(`"${name}" was not proved: the harness does not support ${missing.join(', ')}.`);
  return false;
}
