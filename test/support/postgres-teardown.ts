import setup = require('./postgres-setup');

/** Runs once, after all specs of the project. */
export default setup.tearDown;
