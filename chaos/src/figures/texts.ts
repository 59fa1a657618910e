import { median, quantile } from '../statistics.js';

export function timesOf(values: readonly number[]): string {
  const at = (share: number): string => `${Math.round(quantile(values, share))} ms`;
  return `median ${at(0.5)}, p99 ${at(0.99)}, from ${at(0)} to ${at(1)} (${values.length})`;
}

export function spreadOf(values: readonly number[], digits: number, unit = ''): string {
  const text = (value: number): string => `${value.toFixed(digits)}${unit}`;
  return `median ${text(median(values))}, from ${text(Math.min(...values))} to ${text(Math.max(...values))}`;
}
