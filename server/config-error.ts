/** A bad option or variable; `start` prints the message with the usage and exits with 2. */
export class ConfigError extends Error {}
