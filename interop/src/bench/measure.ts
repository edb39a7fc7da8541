/** One measured row: an implementation doing one thing in a group of one size. */
export interface Row {
  readonly environment: "node" | "chromium";
  readonly scenario: string;
  readonly members: number;
  readonly implementation: string;
  readonly unit: "ms" | "bytes" | "KiB";
  readonly samples: readonly number[];
}

/** One client in a group, behind one implementation, whose state can be put back. */
export interface Peer {
  readonly implementation: string;
  state: unknown;
  keyPackage(): Promise<Uint8Array>;
  join(params: { welcome: Uint8Array; ratchetTree: Uint8Array | undefined }): Promise<unknown>;
  commit(request: { adds?: readonly Uint8Array[]; removes?: readonly number[]; withoutPath?: boolean }): Promise<{ message: Uint8Array }>;
  encrypt(plaintext: Uint8Array): Promise<Uint8Array>;
  receive(message: Uint8Array): Promise<unknown>;
  serialise(): Uint8Array[];
}

/** Takes turns among `contenders`, `rounds` times, so that a slow minute of the machine slows all alike. The first round warms up. */
export async function alternate<T extends { readonly implementation: string }>(
  contenders: readonly T[],
  rounds: number,
  measure: (contender: T, round: number) => Promise<number>,
): Promise<Map<string, number[]>> {
  const samples = new Map<string, number[]>(contenders.map(({ implementation }) => [implementation, []]));
  for (let round = -1; round < rounds; round++) {
    for (const contender of contenders) {
      const value = await measure(contender, round + 1);
      if (round >= 0) samples.get(contender.implementation)?.push(value);
    }
  }
  return samples;
}

/** As `alternate`, but who is quick is measured up to five times a turn, for a tenth of a second: for things that start from the same state. */
export async function alternateRepeated<T extends { readonly implementation: string }>(
  contenders: readonly T[],
  rounds: number,
  measure: (contender: T) => Promise<number>,
): Promise<Map<string, number[]>> {
  const samples = new Map<string, number[]>(contenders.map(({ implementation }) => [implementation, []]));
  await alternate(contenders, rounds, async (contender, round) => {
    const startedMs = performance.now();
    let last = 0;
    for (let i = 0; i < 5 && (i === 0 || performance.now() - startedMs < 100); i++) {
      last = await measure(contender);
      // The first round warms up.
      if (round > 0) samples.get(contender.implementation)?.push(last);
    }
    return last;
  });
  return samples;
}

/** How long one of `times` runs takes on average, in ms. */
export async function timed(times: number, run: (i: number) => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  for (let i = 0; i < times; i++) await run(i);
  return (performance.now() - startedMs) / times;
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? (sorted[Math.floor(middle)] ?? Number.NaN) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
