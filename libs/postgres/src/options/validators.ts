import { expects } from '@mississippi/core/transport';
import pg from 'pg';

export function IsText(pattern: RegExp, expected: string): PropertyDecorator {
  return expects((value) => typeof value === 'string' && pattern.test(value), expected);
}

export function IsSwitch(): PropertyDecorator {
  return expects((value) => typeof value === 'boolean', 'true or false was expected');
}

/** Whatever `pg` can read: it is made there, and not connected. */
export function IsConnectionString(): PropertyDecorator {
  return expects(
    isConnectionString,
    'a connection string such as postgres://user:password@localhost:5432/database was expected',
  );
}

function isConnectionString(value: unknown): boolean {
  if (typeof value !== 'string' || value.trim() === '') return false;
  try {
    void new pg.Client({ connectionString: value });
    return /^(postgres(ql)?|socket):|^\//.test(value);
  } catch {
    return false; // Its error would show the password.
  }
}

export function IsPool(): PropertyDecorator {
  return expects(
    (value) => has(value, 'connect', 'function') && has(value, 'options', 'object'),
    'a Pool of pg was expected',
  );
}

export function IsPglite(): PropertyDecorator {
  return expects(
    (value) => has(value, 'exec', 'function') && has(value, 'transaction', 'function'),
    'a PGlite was expected',
  );
}

export function IsTls(): PropertyDecorator {
  return expects(
    (value) => typeof value === 'boolean' || (typeof value === 'object' && value !== null),
    'true, false, or options of tls.connect were expected',
  );
}

/** At most 63 bytes: PostgreSQL would cut a longer one in silence. `pg_` is its own. */
export function IsSchemaName(): PropertyDecorator {
  return IsText(
    /^(?!pg_)[A-Za-z_][A-Za-z0-9_]{0,62}$/,
    'a name of 1 to 63 letters, digits and _, which begins with no digit and not with pg_, was expected',
  );
}

function has(value: unknown, name: string, type: string): boolean {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, name) === type;
}
