export { FakeClock } from './clock/fake-clock.js';
