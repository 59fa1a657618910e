/** What can be measured. */
export const FIGURES = ['kill', 'join', 'stop', 'throughput', 'signal'] as const;

export type Figure = (typeof FIGURES)[number];
