import { EventEmitter } from 'node:events';
import type { KeyvStoreAdapter, StoredData } from 'keyv';
import { Level } from 'level';

/**
 * A folder on this machine as a store of Keyv. What was written outlives the process, however it ends. It may not outlive
 * a power cut: the operating system writes to the disk later. `put` with `{ sync: true }` waits for that.
 */
export class LevelStore extends EventEmitter implements KeyvStoreAdapter {
  readonly opts = {};

  private constructor(private readonly db: Level<string, string>) {
    super();
  }

  /** Opens the folder, makes it if need be, and holds it: one process has it at a time. */
  static async open(folder: string): Promise<LevelStore> {
    const db = new Level<string, string>(folder);
    await db.open();
    return new LevelStore(db);
  }

  async get<Value>(key: string): Promise<StoredData<Value> | undefined> {
    // Keyv turns the text, which it has made of the value, back into it; its types take it for the value.
    return this.db.get(key) as Promise<StoredData<Value> | undefined>;
  }

  async set(key: string, value: string): Promise<void> {
    await this.db.put(key, value);
  }

  async delete(key: string): Promise<boolean> {
    const found = await this.db.has(key);
    await this.db.del(key);
    return found;
  }

  async clear(): Promise<void> {
    await this.db.clear();
  }

  async disconnect(): Promise<void> {
    await this.db.close();
  }
}
