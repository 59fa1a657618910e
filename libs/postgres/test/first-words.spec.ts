import { controlsTransaction } from '../src/database/first-words.js';

const COMMENT = '/* a /* b */ COMMIT */ -- c\r\n';

test.each([
  'COMMIT',
  'commit work',
  'Commit/**/',
  'COMMIT;SELECT 1',
  'END',
  'END TRANSACTION',
  'ABORT',
  'BEGIN',
  'begin isolation level serializable',
  'START TRANSACTION',
  'ROLLBACK',
  'ROLLBACK;',
  'ROLLBACK WORK',
  'ROLLBACK AND CHAIN',
  'ROLLBACK PREPARED $1',
  "PREPARE TRANSACTION 'a'",
  `PREPARE${COMMENT}TRANSACTION 'a'`,
  "COMMIT PREPARED 'a'",
  `${COMMENT};\v;${COMMENT} COMMIT`,
])('%j controls the transaction', (sql) => {
  expect(controlsTransaction(sql)).toBe(true);
});

test.each([
  '',
  ';',
  'SELECT 1',
  "SELECT 'COMMIT'",
  '/* COMMIT */ SELECT 1',
  '-- COMMIT\nSELECT 1',
  '/* not ended COMMIT',
  'SAVEPOINT a',
  'RELEASE a',
  'ROLLBACK TO a',
  'ROLLBACK TO SAVEPOINT a',
  `rollback${COMMENT}work to a`,
  'ROLLBACK TRANSACTION TO SAVEPOINT a',
  'PREPARE transactions AS SELECT 1',
  'committed',
  'UPDATE x SET y = 1 WHERE z IN (SELECT 1)',
  'WITH begin AS (SELECT 1) SELECT * FROM begin',
])('%j does not', (sql) => {
  expect(controlsTransaction(sql)).toBe(false);
});

test('a long text is looked at no further than its first words', () => {
  expect(controlsTransaction(`SELECT ${'x, '.repeat(1_000_000)}`)).toBe(false);
});
