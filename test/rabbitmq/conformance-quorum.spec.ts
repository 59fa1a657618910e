import { describeConformance } from '../support/describe-conformance.js';

describeConformance('quorum');
