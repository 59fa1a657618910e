import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StoreAccessError, StoreInUseError } from '@mississippi/core';
import { postgres } from '@mississippi/postgres';
import { contextOf, KEY } from '../support/store-user.js';

const OWNER = new URL('../support/worker/pglite-owner.mjs', import.meta.url).pathname;

/** Another process that has a store in the folder. */
class Owner {
  private constructor(private readonly child: ChildProcess) {}

  static async start(folder: string): Promise<Owner> {
    const owner = new Owner(fork(OWNER, [folder], { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
    await owner.answer();
    return owner;
  }

  async commit(state: string): Promise<void> {
    this.child.send(state);
    await this.answer();
  }

  async kill(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  private async answer(): Promise<void> {
    const [what] = await Promise.race([once(this.child, 'message'), once(this.child, 'exit')]);
    if (typeof what !== 'string') throw new Error(`the owner ended with ${what}`);
  }
}

describe('a folder', () => {
  let folder: string;

  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'mississippi-pglite-')));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  async function kept(): Promise<string> {
    const connection = await postgres({ folder }).connect(contextOf({ exclusive: true }));
    const [state] = await connection.load([KEY]);
    await connection.close();
    return String(state!.bytes);
  }

  test('is for one process, until that one ends by kill -9; what it committed is there, whoever tried to open it', async () => {
    const owner = await Owner.start(folder);
    await owner.commit('before');
    await expect(postgres({ folder }).connect(contextOf())).rejects.toThrow(StoreInUseError);
    await owner.commit('after');
    await owner.kill();
    expect(await kept()).toBe('after');
  });

  test('is refused to the PGlite of a user where another process has it', async () => {
    const files = join(folder, 'pglite');
    const owner = await Owner.start(files);
    // Only one that is not there: to open the folder a second time would damage it.
    const never = () => Promise.reject(new Error());
    const other = { dataDir: files, exec: never, transaction: never };
    await expect(postgres({ pglite: other }).connect(contextOf())).rejects.toThrow(StoreInUseError);
    await owner.kill();
  });

  test('may have more than one store of a process, each with instances of its own', async () => {
    const store = postgres({ folder });
    const connection = await store.connect(contextOf({ exclusive: true }));
    expect(await connection.openShard(0)).toMatchObject({ epoch: 1 });
    await expect(store.connect(contextOf({ exclusive: true }))).rejects.toThrow(StoreInUseError);
    const another = await postgres({ folder }).connect(contextOf({ instance: 'another', exclusive: true }));
    await connection.close();
    expect(await another.openShard(0)).toMatchObject({ epoch: 1 });
    await another.close();
    const again = await store.connect(contextOf({ exclusive: true }));
    expect(await again.openShard(0)).toMatchObject({ epoch: 2 });
    await again.close();
  });

  test('is made in one step: what a process left that was killed meanwhile is made anew', async () => {
    mkdirSync(join(folder, 'pglite.new', 'base'), { recursive: true });
    writeFileSync(join(folder, 'pglite.new', 'PG_VERSION'), '');
    await (await postgres({ folder }).connect(contextOf())).close();
    expect(readdirSync(folder)).toEqual(['pglite']);
  });

  test('that cannot be made says what to do', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    for (const path of [file, join(file, 'below')]) {
      const error: unknown = await postgres({ folder: path })
        .connect(contextOf())
        .catch((error: unknown) => error);
      expect(error).toBeInstanceOf(StoreAccessError);
      expect(error).toMatchObject({ reason: 'configuration' });
      expect((error as Error).message).toMatch(
        /^The folder \S+ cannot be used for a PGlite \(E[^\n]+\): take one that this process can write to\.$/,
      );
    }
  });

  test('whose files are no PGlite is left as it is', async () => {
    mkdirSync(join(folder, 'pglite'));
    writeFileSync(join(folder, 'pglite', 'mine'), '');
    await expect(postgres({ folder }).connect(contextOf())).rejects.toThrow(
      /^The PGlite in \S+ cannot be opened \(there is no PG_VERSION in it\): it is damaged/,
    );
    expect(readdirSync(join(folder, 'pglite'))).toEqual(['mine']);
  });
});
