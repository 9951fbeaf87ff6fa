/** A half-open range of UTF-16 code units in one statement's text, 0-based. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface ErrorFacts {
  /** Five-character SQLSTATE, as PostgreSQL's appendix A lists them. */
  readonly sqlstate: string;
  readonly http: number;
  /** Whether repeating the same request may succeed. */
  readonly retry: 'never' | 'backoff';
}

/**
 * Every failure that a user can meet. HTTP status, wire protocol fields and the docs page
 * (docs/errors.md) are derived from this table; a test compares the lists.
 */
export const errorTable = {
  SQL_SYNTAX: { sqlstate: '42601', http: 400, retry: 'never' },
  SQL_TOO_COMPLEX: { sqlstate: '54001', http: 400, retry: 'never' },
  SQL_UNKNOWN_COLUMN: { sqlstate: '42703', http: 400, retry: 'never' },
  SQL_AMBIGUOUS_COLUMN: { sqlstate: '42702', http: 400, retry: 'never' },
  SQL_DUPLICATE_COLUMN: { sqlstate: '42701', http: 400, retry: 'never' },
  SQL_UNKNOWN_RELATION: { sqlstate: '42P01', http: 400, retry: 'never' },
  SQL_DUPLICATE_RELATION: { sqlstate: '42P07', http: 409, retry: 'never' },
  SQL_DUPLICATE_ALIAS: { sqlstate: '42712', http: 400, retry: 'never' },
  SQL_UNKNOWN_FUNCTION: { sqlstate: '42883', http: 400, retry: 'never' },
  SQL_DUPLICATE_FUNCTION: { sqlstate: '42723', http: 409, retry: 'never' },
  SQL_INVALID_FUNCTION: { sqlstate: '42P13', http: 400, retry: 'never' },
  SQL_AMBIGUOUS_FUNCTION: { sqlstate: '42725', http: 400, retry: 'never' },
  SQL_UNKNOWN_TYPE: { sqlstate: '42704', http: 400, retry: 'never' },
  SQL_UNKNOWN_SCHEMA: { sqlstate: '3F000', http: 400, retry: 'never' },
  SQL_DUPLICATE_SCHEMA: { sqlstate: '42P06', http: 409, retry: 'never' },
  SQL_INVALID_NAME: { sqlstate: '42602', http: 400, retry: 'never' },
  SQL_RESERVED_NAME: { sqlstate: '42939', http: 400, retry: 'never' },
  SQL_UNKNOWN_OBJECT: { sqlstate: '42704', http: 400, retry: 'never' },
  SQL_UNKNOWN_PREPARED: { sqlstate: '26000', http: 400, retry: 'never' },
  SQL_DUPLICATE_PREPARED: { sqlstate: '42P05', http: 409, retry: 'never' },
  SQL_UNKNOWN_CURSOR: { sqlstate: '34000', http: 400, retry: 'never' },
  SQL_DUPLICATE_CURSOR: { sqlstate: '42P03', http: 409, retry: 'never' },
  SQL_COLUMN_STATE: { sqlstate: '55000', http: 409, retry: 'never' },
  SQL_CURSOR_DIRECTION: { sqlstate: '55000', http: 400, retry: 'never' },
  SQL_SETTING_FIXED: { sqlstate: '55P02', http: 400, retry: 'never' },
  SQL_DATATYPE_MISMATCH: { sqlstate: '42804', http: 400, retry: 'never' },
  SQL_CANNOT_COERCE: { sqlstate: '42846', http: 400, retry: 'never' },
  SQL_INDETERMINATE_TYPE: { sqlstate: '42P18', http: 400, retry: 'never' },
  SQL_GROUPING: { sqlstate: '42803', http: 400, retry: 'never' },
  SQL_WINDOWING: { sqlstate: '42P20', http: 400, retry: 'never' },
  SQL_INVALID_COLUMN_REFERENCE: { sqlstate: '42P10', http: 400, retry: 'never' },
  SQL_INVALID_RECURSION: { sqlstate: '42P19', http: 400, retry: 'never' },
  SQL_GENERATED_COLUMN: { sqlstate: '428C9', http: 400, retry: 'never' },
  SQL_WRONG_OBJECT_TYPE: { sqlstate: '42809', http: 400, retry: 'never' },
  SQL_INVALID_OPTION: { sqlstate: '22023', http: 400, retry: 'never' },
  SQL_INVALID_FOREIGN_KEY: { sqlstate: '42830', http: 400, retry: 'never' },
  SQL_INVALID_OBJECT_DEFINITION: { sqlstate: '42P17', http: 400, retry: 'never' },
  SQL_DUPLICATE_OBJECT: { sqlstate: '42710', http: 409, retry: 'never' },
  SQL_INVALID_DEFINITION: { sqlstate: '42P16', http: 400, retry: 'never' },
  SQL_NOT_INCREMENTAL: { sqlstate: '0A000', http: 400, retry: 'never' },
  SQL_NOT_SUPPORTED: { sqlstate: '0A000', http: 400, retry: 'never' },
  SQL_DEPENDENT_OBJECTS: { sqlstate: '2BP01', http: 409, retry: 'never' },
  SQL_CARDINALITY: { sqlstate: '21000', http: 400, retry: 'never' },
  SQL_UNDEFINED_PARAMETER: { sqlstate: '42P02', http: 400, retry: 'never' },
  VALUE_DIVISION_BY_ZERO: { sqlstate: '22012', http: 400, retry: 'never' },
  VALUE_OUT_OF_RANGE: { sqlstate: '22003', http: 400, retry: 'never' },
  VALUE_INVALID_TEXT: { sqlstate: '22P02', http: 400, retry: 'never' },
  VALUE_INVALID_BINARY: { sqlstate: '22P03', http: 400, retry: 'never' },
  VALUE_INVALID_DATETIME: { sqlstate: '22007', http: 400, retry: 'never' },
  VALUE_DATETIME_OVERFLOW: { sqlstate: '22008', http: 400, retry: 'never' },
  VALUE_INVALID_PARAMETER: { sqlstate: '22023', http: 400, retry: 'never' },
  VALUE_INVALID_REGEX: { sqlstate: '2201B', http: 400, retry: 'never' },
  VALUE_INVALID_ESCAPE: { sqlstate: '22025', http: 400, retry: 'never' },
  VALUE_NEGATIVE_SUBSTRING: { sqlstate: '22011', http: 400, retry: 'never' },
  VALUE_TOO_LONG: { sqlstate: '22001', http: 400, retry: 'never' },
  VALUE_INVALID_LOGARITHM: { sqlstate: '2201E', http: 400, retry: 'never' },
  VALUE_INVALID_POWER: { sqlstate: '2201F', http: 400, retry: 'never' },
  VALUE_INVALID_LIMIT: { sqlstate: '2201W', http: 400, retry: 'never' },
  VALUE_INVALID_OFFSET: { sqlstate: '2201X', http: 400, retry: 'never' },
  VALUE_INVALID_FRAME: { sqlstate: '22013', http: 400, retry: 'never' },
  VALUE_INVALID_NTILE: { sqlstate: '22014', http: 400, retry: 'never' },
  VALUE_INVALID_NTH_VALUE: { sqlstate: '22016', http: 400, retry: 'never' },
  VALUE_INVALID_ENCODING: { sqlstate: '22021', http: 400, retry: 'never' },
  VALUE_INVALID_JSON: { sqlstate: '22P02', http: 400, retry: 'never' },
  VALUE_INTERVAL_OVERFLOW: { sqlstate: '22015', http: 400, retry: 'never' },
  VALUE_INVALID_ZONE_OFFSET: { sqlstate: '22009', http: 400, retry: 'never' },
  VALUE_UNTRANSLATABLE: { sqlstate: '22P05', http: 400, retry: 'never' },
  VALUE_ARRAY_SUBSCRIPT: { sqlstate: '2202E', http: 400, retry: 'never' },
  VALUE_ARRAY_DIMENSIONS: { sqlstate: '22000', http: 400, retry: 'never' },
  VALUE_RANGE: { sqlstate: '22000', http: 400, retry: 'never' },
  VALUE_NULL_NOT_ALLOWED: { sqlstate: '22004', http: 400, retry: 'never' },
  VALUE_INVALID_WIDTH_BUCKET: { sqlstate: '2201G', http: 400, retry: 'never' },
  VALUE_PROGRAM_LIMIT: { sqlstate: '54000', http: 400, retry: 'never' },
  VALUE_DUPLICATE_JSON_KEY: { sqlstate: '22030', http: 400, retry: 'never' },
  VALUE_JSON_SUBSCRIPT: { sqlstate: '22033', http: 400, retry: 'never' },
  VALUE_JSON_MANY_ITEMS: { sqlstate: '22034', http: 400, retry: 'never' },
  VALUE_JSON_NO_ITEM: { sqlstate: '22035', http: 400, retry: 'never' },
  VALUE_JSON_NOT_NUMERIC: { sqlstate: '22036', http: 400, retry: 'never' },
  VALUE_JSON_NOT_SINGLETON: { sqlstate: '22038', http: 400, retry: 'never' },
  VALUE_JSON_NO_ARRAY: { sqlstate: '22039', http: 400, retry: 'never' },
  VALUE_JSON_NO_MEMBER: { sqlstate: '2203A', http: 400, retry: 'never' },
  VALUE_JSON_NO_NUMBER: { sqlstate: '2203B', http: 400, retry: 'never' },
  VALUE_JSON_NO_OBJECT: { sqlstate: '2203C', http: 400, retry: 'never' },
  VALUE_JSON_NO_SCALAR: { sqlstate: '2203F', http: 400, retry: 'never' },
  VALUE_ENUM_EMPTY: { sqlstate: '55000', http: 400, retry: 'never' },
  VALUE_SEQUENCE_LIMIT: { sqlstate: '2200H', http: 409, retry: 'never' },
  FUNCTION_FAILED: { sqlstate: '38000', http: 400, retry: 'never' },
  FUNCTION_RESULT: { sqlstate: '39000', http: 400, retry: 'never' },
  FUNCTION_LIMIT: { sqlstate: '54000', http: 400, retry: 'never' },
  SEQUENCE_NOT_USED: { sqlstate: '55000', http: 409, retry: 'never' },
  TRANSACTION_ACTIVE: { sqlstate: '25001', http: 409, retry: 'never' },
  TRANSACTION_NONE: { sqlstate: '25P01', http: 409, retry: 'never' },
  TRANSACTION_FAILED: { sqlstate: '25P02', http: 409, retry: 'never' },
  TRANSACTION_IDLE: { sqlstate: '25P03', http: 409, retry: 'never' },
  TRANSACTION_READ_ONLY: { sqlstate: '25006', http: 409, retry: 'never' },
  TRANSACTION_CONFLICT: { sqlstate: '40001', http: 409, retry: 'backoff' },
  TRANSACTION_TOO_LARGE: { sqlstate: '54000', http: 413, retry: 'never' },
  TRANSACTION_UNKNOWN_SAVEPOINT: { sqlstate: '3B001', http: 409, retry: 'never' },
  CONSTRAINT_NOT_NULL: { sqlstate: '23502', http: 409, retry: 'never' },
  CONSTRAINT_FOREIGN_KEY: { sqlstate: '23503', http: 409, retry: 'never' },
  CONSTRAINT_RESTRICT: { sqlstate: '23001', http: 409, retry: 'never' },
  CONSTRAINT_UNIQUE: { sqlstate: '23505', http: 409, retry: 'never' },
  CONSTRAINT_CHECK: { sqlstate: '23514', http: 409, retry: 'never' },
  RECORD_MALFORMED: { sqlstate: '22P04', http: 400, retry: 'never' },
  SOURCE_UNREACHABLE: { sqlstate: '08001', http: 503, retry: 'backoff' },
  SOURCE_UNKNOWN_TOPIC: { sqlstate: '42704', http: 404, retry: 'never' },
  SOURCE_RECORDS_GONE: { sqlstate: '58P01', http: 410, retry: 'never' },
  STREAM_STOPPED: { sqlstate: '55000', http: 409, retry: 'never' },
  SINK_FENCED: { sqlstate: '55006', http: 409, retry: 'never' },
  SINK_REFUSED: { sqlstate: '23000', http: 409, retry: 'never' },
  VIEW_UNKNOWN: { sqlstate: '42P01', http: 404, retry: 'never' },
  VIEW_VERSION_GONE: { sqlstate: '55000', http: 410, retry: 'never' },
  REQUEST_INVALID: { sqlstate: '22023', http: 400, retry: 'never' },
  REQUEST_UNKNOWN_ROUTE: { sqlstate: '22023', http: 404, retry: 'never' },
  REQUEST_ORIGIN: { sqlstate: '28000', http: 403, retry: 'never' },
  REQUEST_METHOD: { sqlstate: '22023', http: 405, retry: 'never' },
  REQUEST_NOT_ACCEPTABLE: { sqlstate: '22023', http: 406, retry: 'never' },
  REQUEST_TIMEOUT: { sqlstate: '08006', http: 408, retry: 'backoff' },
  REQUEST_TOO_LARGE: { sqlstate: '54000', http: 413, retry: 'never' },
  SESSIONS_EXHAUSTED: { sqlstate: '53300', http: 429, retry: 'backoff' },
  PRESSURE: { sqlstate: '53000', http: 429, retry: 'backoff' },
  STATEMENT_CANCELED: { sqlstate: '57014', http: 499, retry: 'never' },
  BACKUP_RUNNING: { sqlstate: '55006', http: 409, retry: 'backoff' },
  SHUTTING_DOWN: { sqlstate: '57P01', http: 503, retry: 'backoff' },
  NOT_READY: { sqlstate: '57P03', http: 503, retry: 'backoff' },
  STORE_FAILED: { sqlstate: '58030', http: 500, retry: 'backoff' },
  STORE_LOST_COMMITS: { sqlstate: 'XX001', http: 500, retry: 'never' },
  STATE_DAMAGED: { sqlstate: 'XX001', http: 500, retry: 'never' },
  INTERNAL: { sqlstate: 'XX000', http: 500, retry: 'never' },
} as const satisfies Record<string, ErrorFacts>;

export type ErrorCode = keyof typeof errorTable;

export interface ErrorContext {
  readonly at?: Span | undefined;
  readonly hint?: string | undefined;
  readonly detail?: string | undefined;
  readonly cause?: unknown;
}

/** The user's or the world's fault. Bugs of this repository are assertions instead. */
export class StreamError extends Error {
  readonly code: ErrorCode;
  readonly at: Span | undefined;
  readonly hint: string | undefined;
  readonly detail: string | undefined;

  constructor(code: ErrorCode, message: string, context: ErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.name = 'StreamError';
    this.code = code;
    this.at = context.at;
    this.hint = context.hint;
    this.detail = context.detail;
  }

  get facts(): ErrorFacts {
    return errorTable[this.code];
  }

  get sqlstate(): string {
    return errorTable[this.code].sqlstate;
  }
}
