import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { KeyNotParkedError, type DataUpdaterService } from '@mississippi/core';
import { keyText } from '@mississippi/history';
import { heldMark } from '../protocol.js';

/** How often keys are resumed that nobody wants to be set aside. Milliseconds. */
const RESUME = 1_000;

/**
 * Resumes them as long as the process lives. What is passed on has ids that tell nothing, so that only its owner knows which
 * key is set aside.
 */
export function resumeParked(service: DataUpdaterService, folder: string): void {
  setInterval(() => {
    for (const { key, state } of service.liveKeys()) {
      if (state !== 'parked' || existsSync(join(folder, heldMark(keyText(key))))) continue;
      service.resume(key).catch((error: unknown) => {
        if (!(error instanceof KeyNotParkedError)) console.error(`a resume failed: ${String(error)}`);
      });
    }
  }, RESUME);
}
