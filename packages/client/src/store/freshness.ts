import { ClientError } from "../errors.ts";

/** A second place, outside the database, that remembers how far the database was. Losing it is harmless. */
export interface GenerationWitness {
  /** The last number written, `undefined` when there is none or it cannot be read. */
  read(): Promise<number | undefined>;
  /** Keeps `generation`; failures are of no consequence but weaker detection. */
  write(generation: number): Promise<void>;
}

/** The witness is told at opening, at closing, and after so many write transactions. */
const tellEvery = 16;

/**
 * Counts the write transactions of a database: the count lies inside it, and behind it in a witness. A database whose count is
 * below the witness's is an old copy put back: its message keys were used already, so it must not go on.
 */
export interface Freshness {
  /** The number to store with the write transaction that runs; never given twice. */
  next(): number;
  /** The transaction with that number is on disk. */
  committed(generation: number): Promise<void>;
  /** Tells the witness the last number on disk. */
  close(): Promise<void>;
}

/**
 * Compares database and witness.
 * @param generation the count that the database holds, 0 in a new one
 * @throws ClientError `profile_restored`
 */
export async function checkFreshness(generation: number, witness: GenerationWitness): Promise<Freshness> {
  const witnessed = await witness.read();
  // An empty database beside a witness is a new profile, not an old one: it has no key to use twice.
  if (generation > 0 && witnessed !== undefined && generation < witnessed) {
    throw new ClientError(
      "profile_restored",
      "This profile is an old copy. Going on with it would reuse keys: make a new one, or put the newest copy back.",
    );
  }
  let issued = generation;
  let stored = generation;
  let told: number | undefined;
  const tell = async (): Promise<void> => {
    if (told === stored) return;
    told = stored;
    await witness.write(stored);
  };
  return {
    next: () => ++issued,
    async committed(number) {
      stored = Math.max(stored, number);
      // The first write of a run tells at once: from then on every earlier copy is known to be old.
      if (told === undefined || stored - told >= tellEvery) await tell();
    },
    close: tell,
  };
}
