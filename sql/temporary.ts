/** Schemas of temporary tables: each session that has some has one, which goes with it. */

import type { QualifiedName } from './ast.ts';

/** What statements call the schema of their own session. */
export const TEMPORARY_SCHEMA = 'pg_temp';

/** Does a name say that what it is given to is the session's own? */
export const isTemporaryName = ({ parts }: QualifiedName): boolean =>
  parts.at(-2)?.name === TEMPORARY_SCHEMA;

/** @param id  never given to another schema of the database, also not after a restart. */
export const temporarySchema = (id: string): string => `${TEMPORARY_SCHEMA}_${id}`;

export const isTemporarySchema = (name: string): boolean => name.startsWith(`${TEMPORARY_SCHEMA}_`);
