/**
 * A schema of any library that follows the Standard Schema (https://standardschema.dev, version 1), such as zod, valibot
 * or arktype. A copy of the part of `@standard-schema/spec` that is read here, as that specification allows.
 * @publicApi
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/**
 * What a {@link StandardSchema} answers: a value, or what it objects to.
 * @publicApi
 */
export type StandardResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] };

/**
 * One objection of a {@link StandardSchema}.
 * @publicApi
 */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}
