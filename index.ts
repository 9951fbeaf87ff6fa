/** The public API of the package: a database in this process, without a server. */

export type { RecordBatch, SourceConnector, SourceReader } from './connectors/connector.ts';
export type { RowChange } from './engine/view/row-change.ts';
export type {
  Database,
  Session,
  StatementResult,
  Subscription,
  SubscriptionEvent,
} from './server/database.ts';
export { type MillraceOptions, openMillrace } from './server/millrace.ts';
export { type ErrorCode, errorTable, StreamError } from './sql/base/error.ts';
export { toJson, toText } from './sql/base/text-output.ts';
export { type Column, type Schema, type SqlType, typeName } from './sql/base/type.ts';
