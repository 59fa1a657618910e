import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { createServer, connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StoreInUseError } from '@mississippi/core';
import { Queue } from '../database/queue.js';

/** Folders that this process has claimed, and how many use each. */
const claimed = new Map<string, { server: Server; users: number }>();
/** What is being claimed or given up: one after the other. */
const turns = new Queue();

/**
 * Claims the folder of a PGlite for this process. Who listens at an address that follows from the folder has the claim: the system
 * takes it from a process that ends, also by kill -9. On Linux and Windows no file is left behind.
 * @returns what gives it up
 * @throws {StoreInUseError}
 */
export async function claimFolder(folder: string): Promise<() => Promise<void>> {
  const path = realpathSync(folder);
  const { dev, ino } = statSync(path, { bigint: true });
  const id = createHash('sha256').update(`${dev} ${ino} ${path}`).digest('hex').slice(0, 32);
  await turns.run(async () => {
    const known = claimed.get(id);
    if (known !== undefined) known.users++;
    else claimed.set(id, { server: await listen(id, folder), users: 1 });
  });
  return () => turns.run(() => giveUp(id));
}

async function giveUp(id: string): Promise<void> {
  const known = claimed.get(id)!;
  if (--known.users > 0) return;
  claimed.delete(id);
  await new Promise((resolve) => known.server.close(resolve));
}

async function listen(id: string, folder: string): Promise<Server> {
  const address = addressOf(id);
  try {
    return await open(address);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    if (!isFile(address) || (await answers(address))) {
      throw new StoreInUseError(
        `The folder ${folder} is open in another process: a PGlite is for one alone, so end the other.`,
      );
    }
  }
  // What a killed process left.
  rmSync(address, { force: true });
  return open(address);
}

/** A name that only the system holds; where it knows none, a socket in the temporary folder. */
function addressOf(id: string): string {
  if (process.platform === 'linux') return `\0mississippi-${id}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\mississippi-${id}`;
  const folder = join(tmpdir(), 'mississippi');
  mkdirSync(folder, { recursive: true });
  return join(folder, id);
}

function isFile(address: string): boolean {
  return process.platform !== 'linux' && process.platform !== 'win32' && address !== '';
}

function open(address: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen(address, () => {
      server.unref();
      resolve(server);
    });
  });
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
  });
}
