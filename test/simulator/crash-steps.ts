/** Steps that a process has to crash at: half of the lives aim at one of them each, in turn; others are met by chance. */
export const CRASH_STEPS: readonly string[] = [
  'store: commit begins',
  'store: commit is written',
  'store: commit is durable',
  'store: catalog is written',
  'store: catalog is durable',
  'store: append is durable',
  'store: acknowledge is written',
  'store: outbox',
  'store: scan',
  'disk: write log',
  'disk: flush log',
  'disk: truncate log',
  'disk: create log',
  'disk: write node',
  'disk: flush node',
  'disk: flush directory',
  'disk: remove log',
  'disk: remove node',
  'sink: begin is sent',
  'sink: write is sent',
  'sink: write is answered',
  'cluster: produce is answered',
];

/** Which step a life aims at, and how often it is passed before. No random number is drawn for it: other lives stay as they are. */
export function aimOf(
  seed: number,
): { readonly step: string; readonly passes: number } | undefined {
  if (seed % 2 === 1) return undefined;
  const turn = seed / 2;
  const step = CRASH_STEPS[turn % CRASH_STEPS.length];
  if (step === undefined) return undefined;
  return { step, passes: Math.floor(turn / CRASH_STEPS.length) % 3 };
}
