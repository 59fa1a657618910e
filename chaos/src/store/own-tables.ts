/** What a handler's transactions write: a row a message, which may be there any number of times. */
export const OWN_ROWS = 'chaos.written';
/** And a row a key, for which transactions wait for each other. */
export const OWN_TOTALS = 'chaos.totals';
/** What publishers enqueued, in the transaction in which they did. */
export const ENQUEUED = 'chaos.enqueued';
/** Keys, canonical, whose states the database refuses. */
export const BAD_KEYS = 'chaos.bad_keys';

export const OWN_DDL = `
CREATE SCHEMA chaos;
CREATE TABLE ${OWN_ROWS} (key text NOT NULL, source text NOT NULL, seq integer NOT NULL);
CREATE TABLE ${OWN_TOTALS} (key text PRIMARY KEY, total bigint NOT NULL);
CREATE TABLE ${ENQUEUED} (key text NOT NULL, seq integer NOT NULL, PRIMARY KEY (key, seq));
CREATE TABLE ${BAD_KEYS} (key bytea PRIMARY KEY);
CREATE FUNCTION chaos.refuse_bad() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM ${BAD_KEYS} AS bad WHERE bad.key = NEW.key) THEN
    RAISE EXCEPTION 'a bad row' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$`;

/** After the store has made its tables. */
export function badRowTrigger(schema: string): string {
  return `CREATE TRIGGER refuse_bad BEFORE INSERT OR UPDATE ON ${schema}.states FOR EACH ROW EXECUTE FUNCTION chaos.refuse_bad()`;
}
