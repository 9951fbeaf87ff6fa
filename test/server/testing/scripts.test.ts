/** The scripts of test/scripts pass: event time, by the engine's own virtual clock. */
import { test } from 'node:test';
import { sqlTests } from '../../../testing.ts';

for (const one of await sqlTests(new URL('../../scripts', import.meta.url).pathname)) {
  test(one.name, one.run);
}
