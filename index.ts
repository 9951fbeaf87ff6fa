/** The public API of the package: a database in this process, without a server. */
export { openMillrace, type MillraceOptions } from './server/millrace.ts';
export type {
  Database,
  RowChange,
  Session,
  StatementResult,
  Subscription,
  SubscriptionEvent,
} from './server/database.ts';
export type { SourceConnector, SourceReader, RecordBatch } from './connectors/connector.ts';
export { StreamError, errorTable, type ErrorCode } from './sql/base/error.ts';
export { toJson, toText } from './sql/base/text-output.ts';
export { typeName, type Column, type Schema, type SqlType } from './sql/base/type.ts';
