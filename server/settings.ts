/** Settings that clients of PostgreSQL ask for or set; only those with a meaning here change anything. */
export const DEFAULT_SETTINGS: Readonly<Record<string, string>> = {
  'auto.offset.reset': 'earliest',
  application_name: '',
  client_encoding: 'UTF8',
  client_min_messages: 'notice',
  datestyle: 'ISO, MDY',
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  extra_float_digits: '1',
  intervalstyle: 'postgres',
  search_path: 'public',
  server_encoding: 'UTF8',
  server_version: '17.0',
  standard_conforming_strings: 'on',
  statement_timeout: '0',
  timezone: 'UTC',
  transaction_isolation: 'repeatable read',
};
