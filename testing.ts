/** `millrace/testing`: SQL test files as tests of any test runner (docs/testing.md). */

export { type SqlTest, SqlTestFailure, sqlTests } from './server/testing/load-tests.ts';
