/** The clock that users have for their own tests, from its file: the packages that need it here must not load the whole kit. */
export { FakeClock, settled } from '../../../testing/src/clock/fake-clock.js';
