import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { NoServerError } from './no-server.error.js';

/** Whose process and files the server's are. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Debian keeps the server's programs off the PATH. */
export function programFolder(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const releases = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const configured = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' });
  const folders = [
    ...releases.map((release) => path.join(debian, release, 'bin')),
    ...(configured.status === 0 ? [configured.stdout.trim()] : []),
  ];
  return folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(path.join(folder, name))));
}

/** PostgreSQL refuses to run as root: then it runs as the user that its package made, or as whoever owns nothing. */
export function unprivileged(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }));
    if (uid?.status === 0 && gid?.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  throw new NoServerError(
    'PostgreSQL does not run as root, and there is no user postgres: add one with useradd --system postgres.\n' +
      'Or give the url of a server: --postgres=postgres://user:password@localhost/database.',
  );
}
