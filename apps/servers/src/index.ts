export { NoServerError } from './no-server.error.js';
export { PrivateBroker } from './private-broker.js';
export { PrivateDatabase } from './private-database.js';
