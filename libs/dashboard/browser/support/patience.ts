import { jest } from '@jest/globals';

/** A test waits for several things, one after the other, each as long as it may take. Milliseconds. */
jest.setTimeout(300_000);
