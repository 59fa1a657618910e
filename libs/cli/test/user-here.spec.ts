import { userInfo } from 'node:os';
import { userHere } from '../src/commands/user-here.js';
import { UsageError } from '../src/errors.js';

test('whoever the system has no name for is to say who he is', () => {
  const nameless = (): never => {
    throw new Error('uv_os_get_passwd returned ENOENT');
  };
  expect(() => userHere(nameless)).toThrow(UsageError);
  expect(() => userHere(nameless)).toThrow(/--by/);
  expect(userHere()).toBe(userInfo().username);
});
