import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { RecordFile, type Append } from './record-file.js';

/** Who owns a shard. */
export interface Owner {
  /** The shard is taken away. */
  lose(cause: Error): void;
}

/**
 * The broker of the file transport: a folder, for the connections of one process. It keeps in memory only who owns what;
 * every epoch reads its shard's files anew.
 */
export class FileFolder {
  /** Called with each shard that is free again. */
  readonly claimants = new Set<(shard: number) => void>();
  private readonly owners = new Map<number, Owner>();
  private readonly files = new Map<string, RecordFile>();

  /** @param append how to write; for tests, which let the disk be full */
  constructor(
    private readonly path: string,
    private readonly append?: Append,
  ) {
    mkdirSync(path, { recursive: true });
  }

  messages(shard: number): RecordFile {
    return this.file(`${shard}.messages`);
  }

  moves(shard: number): RecordFile {
    return this.file(`${shard}.parked`);
  }

  settlements(shard: number): RecordFile {
    return this.file(`${shard}.settled`);
  }

  get deadLetters(): RecordFile {
    return this.file('dead-letters');
  }

  owner(shard: number): Owner | undefined {
    return this.owners.get(shard);
  }

  own(shard: number, owner: Owner): void {
    this.owners.set(shard, owner);
  }

  free(shard: number): void {
    this.owners.delete(shard);
    for (const claim of this.claimants) claim(shard);
  }

  private file(name: string): RecordFile {
    const known = this.files.get(name);
    if (known !== undefined) return known;
    const file = new RecordFile(join(this.path, name), this.append);
    this.files.set(name, file);
    return file;
  }
}
