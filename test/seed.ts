/**
 * Loaded before every test file: properties draw from one seed, MILLRACE_TEST_SEED, so that a run can be repeated and a
 * change is not refused for what another one left. `npm run test:long` takes a new seed each time and prints it.
 */
import fc from 'fast-check';
import { RUN_SEED } from './run-seed.ts';

fc.configureGlobal({ seed: RUN_SEED });
