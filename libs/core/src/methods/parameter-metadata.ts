/** What a parameter of a method may be given. The numbers of the first two are Nest's, for its `@Payload()` and `@Ctx()`. */
export const ParameterType = {
  payload: 3,
  context: 6,
  state: 8_001,
  key: 8_002,
} as const;
