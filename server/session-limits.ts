/** Bounds of sessions and of the transactions in them. */
export interface SessionLimits {
  /** Named sessions that are kept. The one unused for longest makes room, unless it is in a transaction. */
  readonly sessionsMax: number;
  /** A named session that is not used for so long is forgotten. */
  readonly sessionIdleMsMax: number;
  /** A transaction whose session does nothing for so long is rolled back. */
  readonly transactionIdleMsMax: number;
  /** Rows and records that one transaction may hold until it commits. */
  readonly transactionRowsMax: number;
  /** The same in bytes, about. */
  readonly transactionBytesMax: number;
}

export const defaultSessionLimits: SessionLimits = {
  sessionsMax: 1_000,
  sessionIdleMsMax: 3_600_000,
  transactionIdleMsMax: 60_000,
  transactionRowsMax: 1_000_000,
  transactionBytesMax: 268_435_456,
};
