import { InvalidOptionsError, type OptionProblem } from '@mississippi/core';
import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';

/** @publicApi */
export interface MississippiDashboardOptions {
  /** Where the page is, below the app's global prefix. Default `'mississippi'`. */
  path?: string;
  /**
   * Nest guards, each of which must let a request through: who may see payloads, keys and errors, and act where `actions` is on. Without any the
   * dashboard answers on loopback only, and asks for a token that is logged once when the app starts.
   */
  guards?: readonly (Type<CanActivate> | CanActivate)[];
  /** Modules that export what the guards inject. */
  imports?: ModuleMetadata['imports'];
  /** Whether keys may be paused, messages dropped and so on. Default `false`: looks only. */
  actions?: boolean;
  /** Which instance is shown, in an app that has several. Default `'default'`. */
  instance?: string;
}

/** What is left to the user's choice, chosen. */
export interface DashboardSettings {
  readonly path: string;
  readonly guards: readonly (Type<CanActivate> | CanActivate)[];
  readonly actions: boolean;
  readonly instance: string;
}

/** Segments of letters that need no escaping in a url or a route. */
const PATH = /^[\w.~-]+(\/[\w.~-]+)*$/;

/** @throws {InvalidOptionsError} */
export function settingsOf(options: MississippiDashboardOptions): DashboardSettings {
  const { path = 'mississippi', guards = [], actions = false, instance = 'default' } = options;
  const trimmed = typeof path === 'string' ? path.replace(/^\/|\/$/g, '') : '';
  const problems: OptionProblem[] = [];
  const expect = (fits: boolean, option: string, expected: string): void => {
    if (!fits) problems.push({ path: `MississippiDashboardModule.forRoot.${option}`, expected });
  };
  expect(PATH.test(trimmed), 'path', 'must be segments of letters, digits, _ . ~ or -, separated by /');
  expect(Array.isArray(guards) && guards.every(isGuard), 'guards', 'must be a list of guards or of their classes');
  expect(typeof actions === 'boolean', 'actions', 'must be true or false');
  expect(typeof instance === 'string' && instance !== '', 'instance', 'must be the name of an instance');
  if (problems.length > 0) throw new InvalidOptionsError(problems);
  return { path: trimmed, guards, actions, instance };
}

/** An `undefined` in the list, as a circular import leaves one, must not open the door. */
function isGuard(guard: unknown): boolean {
  if (typeof guard === 'function') return true;
  return typeof guard === 'object' && guard !== null && 'canActivate' in guard;
}
