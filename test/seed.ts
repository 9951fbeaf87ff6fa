/**
 * Loaded before every test file: properties draw from one seed, MILLRACE_TEST_SEED, so that a run can be repeated and a
 * change is not refused for what another one left. `npm run test:long` takes a new seed each time and prints it.
 */
import fc from 'fast-check';

const SEED_DEFAULT = 1;

fc.configureGlobal({ seed: Number(process.env.MILLRACE_TEST_SEED ?? SEED_DEFAULT) });
