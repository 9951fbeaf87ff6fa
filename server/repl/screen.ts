/** Where a prompt or a script prints. */
export interface Screen {
  /** Whether lines can be drawn over. */
  readonly isTerminal: boolean;
  write(text: string): void;
  error(text: string): void;
  size(): { readonly rows: number; readonly columns: number };
}

/** Standard output and standard error. A reader that goes away (`| head`) ends the process quietly. */
export function standardScreen(): Screen {
  const { stdout, stderr } = process;
  stdout.on('error', (error: Error & { readonly code?: string }) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  return {
    isTerminal: stdout.isTTY === true,
    write: (text) => {
      stdout.write(text);
    },
    error: (text) => {
      stderr.write(text);
    },
    size: () => ({ rows: stdout.rows ?? 24, columns: stdout.columns ?? 80 }),
  };
}
